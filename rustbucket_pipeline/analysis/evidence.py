"""What an id of a report rests on: `F…`, `C…` and `I…` → the ids of its events. How events are traced is `events`'."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, literal, null, select

from rustbucket_pipeline.analysis.stored import newest_revision
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, Window, window_of_key
from rustbucket_pipeline.storage.analysis_tables import clusters, findings, indicators

_ID = re.compile(r"(?:(?P<window>[0-9-]{10}-[0-9:]{5})/)?(?P<id>[FCI][1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A finding, cluster or indicator of a window's newest report: what it says, and its first events' ids.

    `told` may hold an attacker's text.
    """

    id: str
    window: Window
    kind: str
    told: str
    severity: str | None
    events: int
    rows: tuple[str, ...]


def is_report_id(text: str) -> bool:
    """Whether it looks like `F1`, or `2026-03-02-04:00/F1`, and not like an event's id."""
    return _ID.fullmatch(text) is not None


def evidence_of(connection: Connection, text: str) -> Evidence:
    """What the id names in its window; without one, in the newest window that was reported.

    Raises:
        UsageError: that window hasn't been reported, or has nothing of that id.
    """
    found = _ID.fullmatch(text)
    if found is None:
        raise UsageError(f"{text[:80]!r} is no id of a report; ids look like F1, C2, I3 or 2026-03-02-04:00/F1")
    asked = None if found["window"] is None else window_of_key(found["window"], FOUR_HOURS)
    newest = newest_revision(connection, asked)
    if newest is None:
        raise UsageError(
            f"{found['window'] or 'the newest window'} hasn't been reported; ids are those of stored reports"
        )
    window = Window(newest.window_start, FOUR_HOURS)
    row = connection.execute(_QUESTIONS[found["id"][0]](found["id"], window.start, newest.revision)).one_or_none()
    if row is None:
        raise UsageError(f"the report of {window.key} has no {found['id']}; `rustbucket report {window.key}` shows it")
    return Evidence(found["id"], window, row.kind, row.told, row.severity, row.events, tuple(row.event_ids))


def _finding(identifier: str, start: datetime, revision: int) -> Select[Any]:
    table = findings.c
    query = select(literal("finding").label("kind"), table.title.label("told"), table.severity)
    query = query.add_columns(table.events, table.event_ids)
    return query.where(table.window_start == start, table.revision == revision, table.finding_id == identifier)


def _cluster(identifier: str, start: datetime, _: int) -> Select[Any]:
    table = clusters.c
    steps = func.array_to_string(table.steps, "; ").label("told")
    query = select(literal("cluster").label("kind"), steps, table.severity, table.events, table.event_ids)
    return query.where(table.window_start == start, table.cluster_id == identifier)


def _indicator(identifier: str, start: datetime, _: int) -> Select[Any]:
    table = indicators.c
    told = (table.type + " " + table.value).label("told")
    query = select(literal("indicator").label("kind"), told, null().label("severity"), table.events, table.event_ids)
    return query.where(table.window_start == start, table.indicator_id == identifier)


_QUESTIONS: Mapping[str, Callable[[str, datetime, int], Select[Any]]] = {
    "F": _finding,
    "C": _cluster,
    "I": _indicator,
}
