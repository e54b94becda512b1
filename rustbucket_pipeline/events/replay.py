"""Archived segments parsed again, and what that would change in an hour's rows. Nothing is written here.

Rows and entries of `quarantine` are told apart by where their bytes begin, in the order of rustbucket, log and byte; so
both sides are read side by side, and no more than a row of each is held.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import groupby
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping

from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import Parser, QuarantineRow, Tally
from rustbucket_pipeline.events.query import ROWS_AT_A_TIME
from rustbucket_pipeline.events.read import records_of, runs_of
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.shares import segments_of
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.framing.times import microseconds, moment_of
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.storage.closed_days import require_open
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql

EXAMPLES = 10
"""Changes that are shown; all of them are counted."""

_LEFT_OUT = {"parser_version", "segment_id", "byte_offset", "rustbucket_id"}
"""What says where a row is and who made it, not what it says."""


class Place(NamedTuple):
    """Where the bytes of a row or entry begin."""

    rustbucket_id: str
    log_id: int
    byte_offset: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of the bytes at a place: an event, or why they are none."""

    place: Place
    kind: Literal["event", "quarantined"]
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """What is told otherwise, or on one side only; `columns` holds what was told before, and what would be now."""

    kind: Literal["added", "removed", "changed"]
    place: Place
    event_id: str | None
    columns: Mapping[str, tuple[object, object]]


@dataclass(slots=True)
class Difference:
    """What parsing an hour again would change: how many rows and entries, in which columns, and the first of them."""

    window: Window
    same: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter[str])
    examples: list[Change] = field(default_factory=list[Change])

    @property
    def differs(self) -> bool:
        """Whether it would change anything."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class HeldHour:
    """An hour of which something is archived or built: its sums, and the version of its rows (None: not built)."""

    window: Window
    events: int
    quarantined: int
    version: str | None


def held_hours(connection: Connection, start: datetime, end: datetime) -> list[HeldHour]:
    """The hours that begin in `[start, end)` and of which there is anything, in order."""
    rows = connection.execute(load_sql("rustbucket_pipeline.events", "held_hours"), {"start": start, "end": end})
    return [HeldHour(Window(row.hour, HOUR), row.events, row.quarantined, row.output_version) for row in rows]


def difference_of(
    connection: Connection,
    archive: Archive,
    window: Window,
    rustbuckets: Sequence[str] = (),
    collectors: Networks = (),
) -> Difference:
    """What parsing the hour's segments now would change in its rows; of some rustbuckets, or of all (none named).

    Visits from `collectors` are our own. The connection's transaction should be of one snapshot (REPEATABLE READ).

    Raises:
        IntegrityError: an object isn't what its segment says.
    """
    require_open(connection, [window])
    found = Difference(window)
    segments = [one for one in segments_of(connection, window) if not rustbuckets or one.rustbucket_id in rustbuckets]
    with ExitStack() as stack:
        stored = _stored(stack, connection, window, rustbuckets)
        for before, after in _side_by_side(stored, _parsed(archive, segments, collectors)):
            _compare(before, after, found)
    return found


def _compare(before: Told | None, after: Told | None, found: Difference) -> None:
    told = after or before
    columns = _columns_changed(before, after)
    if told is None or not columns:
        found.same += 1
        return
    kind: Literal["added", "removed", "changed"] = "changed"
    if before is None:
        kind = "added"
        found.added += 1
    elif after is None:
        kind = "removed"
        found.removed += 1
    else:
        found.changed += 1
        found.columns.update(columns.keys())
    if len(found.examples) < EXAMPLES:
        event_id = told.values.get("event_id")
        found.examples.append(Change(kind, told.place, event_id if isinstance(event_id, str) else None, columns))


def _columns_changed(before: Told | None, after: Told | None) -> dict[str, tuple[object, object]]:
    old, new = _all_told(before), _all_told(after)
    return {name: (old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)}


def _all_told(told: Told | None) -> dict[str, object]:
    if told is None:
        return {}
    said = {name: value for name, value in told.values.items() if name not in _LEFT_OUT}
    return {"told as": told.kind, **said}


def _side_by_side(stored: Iterator[Told], parsed: Iterator[Told]) -> Iterator[tuple[Told | None, Told | None]]:
    """Both sides' rows of a place together, place after place."""
    before, after = next(stored, None), next(parsed, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before.place < after.place):
            yield before, None
            before = next(stored, None)
        elif before is None or after.place < before.place:
            yield None, after
            after = next(parsed, None)
        else:
            yield before, after
            before, after = next(stored, None), next(parsed, None)


def _stored(stack: ExitStack, connection: Connection, window: Window, rustbuckets: Sequence[str]) -> Iterator[Told]:
    asked = {"start": window.start, "end": window.end, "rustbuckets": list(rustbuckets)}
    streamed = connection.execution_options(yield_per=ROWS_AT_A_TIME)
    events, entries = (
        stack.enter_context(streamed.execute(load_sql("rustbucket_pipeline.events", name), asked)).mappings()
        for name in ("stored_events", "stored_entries")
    )
    return merge(
        (_told(row, "event", EventRow._fields) for row in events),
        (_told(row, "quarantined", QuarantineRow._fields) for row in entries),
        key=lambda told: told.place,
    )


def _told(row: RowMapping, kind: Literal["event", "quarantined"], columns: Sequence[str]) -> Told:
    place = Place(row["rustbucket_id"], row["log_id"], row["byte_offset"])
    return Told(place, kind, {column: row[column] for column in columns})


def _parsed(archive: Archive, segments: Sequence[Segment], collectors: Networks) -> Iterator[Told]:
    in_order = sorted(segments, key=lambda one: (one.rustbucket_id, one.log_id, one.byte_start))
    for rustbucket_id, own in groupby(in_order, key=lambda one: one.rustbucket_id):
        held = list(own)
        several = len({segment.log_id for segment in held}) > 1
        parser = Parser(Identities(rustbucket_id, several_logs=several), Tally(), collectors)
        for run in runs_of(held):
            grader = Grader(open=run[0].after_text, last=microseconds(run[0].clock))
            for row in parser.parse(records_of(archive, run), grader):
                yield _as_stored(row, Place(rustbucket_id, run[0].log_id, row.byte_offset))


def _as_stored(row: EventRow | QuarantineRow, place: Place) -> Told:
    """As the database gives it back."""
    values: dict[str, object] = {**row._asdict(), "event_ts": moment_of(row.event_ts)}
    if isinstance(row, QuarantineRow):
        return Told(place, "quarantined", values)
    values["claimed_ts"] = None if row.claimed_ts is None else moment_of(row.claimed_ts)
    values["fields"] = None if row.fields is None else msgspec.json.decode(row.fields)
    return Told(place, "event", values)
