"""Addresses that connected, URLs and hosts named in attackers' text: all in a table, the first in the digest.

They are found while PostgreSQL reads the rows; its regular expressions, without back references, take linear time.
"""

from sqlalchemy import Connection, text

from rustbucket_pipeline.analysis.baseline import LOOKBACK
from rustbucket_pipeline.analysis.contents import LONGEST_TEXT, Indicator, Indicators
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import load_sql

SHOWN = 40
"""Indicators in a digest; the table has the others."""

EVIDENCE = 20
"""Event ids kept per indicator."""

_URL = r"""((?:https?|ftps?|tftp|ldaps?|rmi|dns|stratum\+(?:tcp|ssl))://[^\s"'<>|;&`\\^{}()]{3,250})"""
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_ENDS = "(?![.-]?[0-9a-z_])"
_HOST = (
    rf"(?:^|[^0-9a-z_.-])((?:{_OCTET}\.){{3}}{_OCTET}){_ENDS}"
    rf"|://((?:[a-z0-9_-]{{1,63}}\.){{1,8}}[a-z]{{2,24}}){_ENDS}"
)
_PACKAGE = "rustbucket_pipeline.analysis"


def find_indicators(connection: Connection, window: Window) -> Indicators:
    """Find them all, into the temporary table `window_indicators` of this transaction; return the first."""
    connection.execute(text("CREATE TEMP TABLE IF NOT EXISTS window_indicators (LIKE indicators) ON COMMIT DROP"))
    connection.execute(text("TRUNCATE window_indicators"))
    connection.execute(
        load_sql(_PACKAGE, "indicators"),
        {
            "since": window.start - LOOKBACK,
            "start": window.start,
            "end": window.end,
            "url": _URL,
            "host": _HOST,
            "evidence": EVIDENCE,
        },
    )
    return _shown(connection)


def keep_indicators(connection: Connection, window: Window) -> None:
    """Replace the window's rows in `indicators` by what was found."""
    connection.execute(text("DELETE FROM indicators WHERE window_start = :start"), {"start": window.start})
    columns = "window_start, type, value, indicator_id, first_seen, last_seen, is_new, events, rustbuckets, event_ids"
    connection.execute(text(f"INSERT INTO indicators ({columns}) SELECT {columns} FROM window_indicators"))  # noqa: S608


def _shown(connection: Connection) -> Indicators:
    rows = connection.execute(load_sql(_PACKAGE, "shown_indicators"), {"longest": LONGEST_TEXT, "top": SHOWN}).all()
    return Indicators(
        rows=tuple(
            Indicator(
                id=row.indicator_id,
                type=row.type,
                value=row.value,
                length=row.length,
                events=row.events,
                rustbuckets=row.rustbuckets,
                first=row.first_seen,
                is_new=row.is_new,
            )
            for row in rows
        ),
        total=rows[0].all_values if rows else 0,
        new=rows[0].all_new if rows else 0,
        sha256=connection.execute(load_sql(_PACKAGE, "indicators_hash")).scalar_one(),
    )
