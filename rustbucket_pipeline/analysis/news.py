"""How much of a finding is new: what its rows name that the week before didn't know. Reads the window's indicators."""

from collections.abc import Iterable, Sequence
from itertools import chain

from sqlalchemy import Connection, select, tuple_

from rustbucket_pipeline.analysis.indicators import named_in
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.analysis_tables import indicators
from rustbucket_pipeline.storage.tables import log_events

Named = dict[str, set[tuple[str, str]]]


def shares_of_news(connection: Connection, window: Window, findings: Sequence[Iterable[str]]) -> list[float]:
    """Of each finding's rows (event ids), the share that names an indicator which is new in the window."""
    named = _named(connection, window, list(chain.from_iterable(findings)))
    new = _new(connection, window, set(chain.from_iterable(named.values())))
    news = {event_id for event_id, found in named.items() if found & new}
    return [sum(row in news for row in rows) / max(1, len(rows)) for rows in map(list, findings)]


def _named(connection: Connection, window: Window, event_ids: list[str]) -> Named:
    rows = connection.execute(
        select(log_events.c.event_id, log_events.c.src_ip, log_events.c.command, log_events.c.http_path).where(
            log_events.c.event_ts >= window.start,
            log_events.c.event_ts < window.end,
            log_events.c.event_id.in_(event_ids),
        )
    )
    return {
        row.event_id: named_in(f"{row.command or ''}\n{row.http_path or ''}") | {("ip", row.src_ip or "")}
        for row in rows
    }


def _new(connection: Connection, window: Window, named: set[tuple[str, str]]) -> set[tuple[str, str]]:
    rows = connection.execute(
        select(indicators.c.type, indicators.c.value).where(
            indicators.c.window_start == window.start,
            indicators.c.is_new,
            tuple_(indicators.c.type, indicators.c.value).in_(list(named)),
        )
    )
    return {(row.type, row.value) for row in rows}
