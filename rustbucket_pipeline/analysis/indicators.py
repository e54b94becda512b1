"""Addresses that connected, URLs and hosts named in attackers' text: all in a table, the first in the digest.

PostgreSQL gathers, counts and compares; each distinct text is searched here, once. The patterns take linear time.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice

from sqlalchemy import Connection, text

from rustbucket_pipeline.analysis.baseline import LOOKBACK
from rustbucket_pipeline.analysis.contents import LONGEST_TEXT, Indicator, Indicators
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import copy_rows, load_sql

SHOWN = 40
"""Indicators in a digest; the table has the others."""

EVIDENCE = 20
"""Event ids kept per indicator."""

_PER_TEXT = 100
"""URLs, and hosts, taken from one text."""

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_URL = re.compile(
    r"(?:https?|ftps?|tftp|ldaps?|rmi|dns|stratum\+(?:tcp|ssl))://[^\s\"'<>|;&`\\^{}()]{3,250}",
    re.IGNORECASE | re.ASCII,
)
_HOST = re.compile(
    rf"(?:(?<![0-9a-z_.-])(?:{_OCTET}\.){{3}}{_OCTET}|(?<=://)(?:[a-z0-9_-]{{1,63}}\.){{1,8}}[a-z]{{2,24}})(?![.-]?[0-9a-z_])",
    re.IGNORECASE | re.ASCII,
)
_PACKAGE = "rustbucket_pipeline.analysis"


def find_indicators(connection: Connection, window: Window) -> Indicators:
    """Find them all, into the temporary table `window_indicators` of this transaction; return the first."""
    connection.execute(text("DROP TABLE IF EXISTS window_texts, window_named, window_indicators"))
    connection.execute(load_sql(_PACKAGE, "window_tables"))
    span = {"since": window.start - LOOKBACK, "end": window.end}
    connection.execute(load_sql(_PACKAGE, "window_texts"), span)
    copy_rows(connection, "window_named", ("text_hash", "type", "value"), list(_named(connection)))
    connection.execute(text("ANALYZE window_texts, window_named"))
    connection.execute(load_sql(_PACKAGE, "indicators"), {**span, "start": window.start, "evidence": EVIDENCE})
    return _shown(connection)


def named_in(told: str) -> set[tuple[str, str]]:
    """Type and value of every URL and host that the text names."""
    urls = {("url", found[0]) for found in islice(_URL.finditer(told), _PER_TEXT)}
    return urls | {("host", found[0].lower()) for found in islice(_HOST.finditer(told), _PER_TEXT)}


def _named(connection: Connection) -> Iterator[tuple[bytes, str, str]]:
    texts = connection.execute(text("SELECT DISTINCT told FROM window_texts"), execution_options={"yield_per": 1000})
    for told in texts.scalars():
        key = sha256(told.encode("utf-8")).digest()
        yield from ((key, kind, value) for kind, value in named_in(told))


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
