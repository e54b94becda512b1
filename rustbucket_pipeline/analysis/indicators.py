"""Addresses that connected, URLs and hosts named in attackers' text: all in a table, some in the digest.

Gathering them is `gather`'s work; here: what a text names (patterns of linear time), and which ones are shown.
"""

import re
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, text

from rustbucket_pipeline.analysis.contents import LONGEST_TEXT, Indicator, Indicators
from rustbucket_pipeline.analysis.prompt_rows import indicator_row, size_of
from rustbucket_pipeline.analysis.selecting import within
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import load_sql

MOST_SHOWN = 500
"""Indicators in a digest, if there is room for so many; the table has the others."""

EVIDENCE = 3
"""Event ids shown with one; the table has more."""

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


def keep_indicators(connection: Connection, window: Window, since: datetime) -> None:
    """Replace the window's rows in `indicators` by what was gathered, numbered; new is what wasn't seen since then."""
    start = {"start": window.start}
    connection.execute(load_sql(_PACKAGE, "judged_indicators"), {**start, "since": since})
    connection.execute(text("DELETE FROM indicators WHERE window_start = :start"), start)
    connection.execute(load_sql(_PACKAGE, "indicators"), start)


def named_in(told: str) -> set[tuple[str, str]]:
    """Type and value of every URL and host that the text names."""
    urls = {("url", found[0]) for found in islice(_URL.finditer(told), _PER_TEXT)}
    return urls | {("host", found[0].lower()) for found in islice(_HOST.finditer(told), _PER_TEXT)}


def shown_indicators(connection: Connection, room: int) -> Indicators:
    """The indicators that a digest shows: as many as fit into `room` bytes of the prompt."""
    most = {"longest": LONGEST_TEXT, "top": MOST_SHOWN, "evidence": EVIDENCE}
    rows = connection.execute(load_sql(_PACKAGE, "shown_indicators"), most).all()
    shown = [_indicator(row) for row in rows]
    return Indicators(
        rows=tuple(within(shown, lambda indicator: size_of(indicator_row(indicator)), room)),
        total=rows[0].all_values if rows else 0,
        new=rows[0].all_new if rows else 0,
        sha256=connection.execute(load_sql(_PACKAGE, "indicators_hash")).scalar_one(),
    )


def _indicator(row: Row[Any]) -> Indicator:
    return Indicator(
        id=row.indicator_id,
        type=row.type,
        value=row.value,
        length=row.length,
        events=row.events,
        rustbuckets=row.rustbuckets,
        first_seen=row.first_seen,
        is_new=row.is_new,
        rows=tuple(row.event_ids),
    )
