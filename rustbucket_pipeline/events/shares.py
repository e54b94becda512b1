"""A rustbucket's share of an hour: what it is made of, its rows loaded, kept where they are still the same, or removed.

The hour as a whole, its build and its alerts are `build`'s.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from itertools import groupby
from operator import attrgetter

import pyarrow as pa
from sqlalchemy import Connection, delete, func, select

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.bulk import BulkParser
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.load import Written, load_events
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import QuarantineRow
from rustbucket_pipeline.events.read import read_run, runs_of
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.framing.times import microseconds, moment_of
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage import tables
from rustbucket_pipeline.storage.builds import version_of
from rustbucket_pipeline.storage.drift_tables import unknown_templates
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import copy_rows, load_sql

COPIED_BYTES = 64 * 1024 * 1024
"""Bytes of log whose rows go into one COPY: what is refused of them is held so long."""

_SUMS = [field.name for field in fields(Tally)]


@dataclass(frozen=True, slots=True)
class Share:
    """What a rustbucket's rows of an hour are made of; `inputs` is the version of all of it."""

    rustbucket_id: str
    segments: list[Segment]
    inputs: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in the tables: made of `inputs`, and as rows `output`; both versions, equal if what they name is."""

    inputs: str
    output: str
    tally: Tally


def shares_of(connection: Connection, window: Window, collectors: Networks) -> list[Share]:
    """The hour's shares, by rustbucket; visits from `collectors` are our own."""
    code = [str(PARSER_VERSION), *map(str, collectors)]
    return [
        Share(rustbucket_id, segments := list(own), version_of([*code, *map(str, segments)]))
        for rustbucket_id, own in groupby(segments_of(connection, window), attrgetter("rustbucket_id"))
    ]


def segments_of(connection: Connection, window: Window) -> list[Segment]:
    """The segments of the hour, by rustbucket, log and byte."""
    table = tables.segments
    stored = func.coalesce(table.c.redacted_sha256, table.c.sha256)
    names = [stored if name == "sha256" else table.c[name] for name in Segment.__slots__]
    rows = connection.execute(
        select(*names)
        .where(table.c.window_start >= window.start, table.c.window_start < window.end)
        .order_by(table.c.rustbucket_id, table.c.log_id, table.c.byte_start)
    )
    return [Segment(*row) for row in rows]


def loaded_shares(connection: Connection, window: Window) -> dict[str, Loaded]:
    """What is in the tables already, by rustbucket: only shares whose rows are all there."""
    whole = load_sql("rustbucket_pipeline.events", "whole_shares")
    rows = connection.execute(whole, {"start": window.start, "end": window.end})
    return {
        row["rustbucket_id"]: Loaded(
            row["inputs_version"], row["output_version"], Tally(**{name: row[name] for name in _SUMS})
        )
        for row in rows.mappings()
    }


def remove_all_but(connection: Connection, window: Window, kept: Collection[str]) -> None:
    """Remove the hour's rows, entries, templates and sums, but for those of the rustbuckets in `kept`."""
    theirs = select(tables.segments.c.id).where(tables.segments.c.rustbucket_id.in_(kept))
    for table, at, is_kept in (
        (tables.log_events, tables.log_events.c.event_ts, tables.log_events.c.rustbucket_id.in_(kept)),
        (tables.quarantine, tables.quarantine.c.event_ts, tables.quarantine.c.segment_id.in_(theirs)),
        (tables.hour_counts, tables.hour_counts.c.hour, tables.hour_counts.c.rustbucket_id.in_(kept)),
        (unknown_templates, unknown_templates.c.hour, unknown_templates.c.rustbucket_id.in_(kept)),
    ):
        connection.execute(delete(table).where(at >= window.start, at < window.end, ~is_kept))


def load_shares(
    connection: Connection,
    archive: Archive,
    shares: Iterable[tuple[Window, Share]],
    collectors: Networks,
    table: str = "log_events",
) -> list[tuple[Loaded, Drift]]:
    """Parse and load shares, each of its hour, and write their sums; with the unknown templates each has.

    `table` as in `load_events`.

    Raises:
        IntegrityError: an object isn't what its segment says, or the sums disagree.
    """
    readings = [_Reading(window, share, collectors) for window, share in shares]
    done: list[tuple[Loaded, Drift]] = []
    for together in _by_bytes(readings):
        load_events(connection, ((reading.rows(archive), reading.written) for reading in together), table)
        _load_quarantine(connection, [entry for reading in together for entry in reading.refused])
        loaded = [reading.loaded() for reading in together]
        connection.execute(
            tables.hour_counts.insert(),
            [
                {"hour": reading.window.start, "rustbucket_id": reading.share.rustbucket_id}
                | {"inputs_version": one.inputs, "output_version": one.output, **asdict(one.tally)}
                for reading, one in zip(together, loaded, strict=True)
            ],
        )
        done += zip(loaded, (reading.drift for reading in together), strict=True)
    return done


class _Reading:
    """A share that is read: what it holds is known once its rows are taken."""

    def __init__(self, window: Window, share: Share, collectors: Networks) -> None:
        self.window, self.share = window, share
        self.written, self.drift = Written(), Drift()
        self.refused: list[QuarantineRow] = []
        self.tally = Tally(archived_bytes=sum(segment.byte_end - segment.byte_start for segment in share.segments))
        self._collectors = collectors

    def rows(self, archive: Archive) -> Iterator[Sequence[pa.RecordBatch]]:
        several = len({segment.log_id for segment in self.share.segments}) > 1
        parser = BulkParser(
            self.share.rustbucket_id, several_logs=several, tally=self.tally, collectors=self._collectors
        )
        for run in runs_of(self.share.segments):
            grader = Grader(open=run[0].after_text, last=microseconds(run[0].clock))
            yield from parser.parse(read_run(archive, run), grader)
        self.refused, self.drift = parser.refused, parser.drift

    def loaded(self) -> Loaded:
        if not self.tally.agrees:
            whose = f"{self.share.rustbucket_id}, {self.window}"
            raise IntegrityError(f"{whose}: bytes don't add up ({self.tally}); report this as a bug")
        output = version_of([str(PARSER_VERSION), self.written.version(), _hash_of(self.refused)])
        return Loaded(self.share.inputs, output, self.tally)


def _by_bytes(readings: Iterable[_Reading]) -> Iterator[list[_Reading]]:
    """As many together as are worth a COPY of their own."""
    together, size = list[_Reading](), 0
    for reading in readings:
        together.append(reading)
        size += reading.tally.archived_bytes
        if size >= COPIED_BYTES:
            yield together
            together, size = [], 0
    if together:
        yield together


def _load_quarantine(connection: Connection, entries: Sequence[QuarantineRow]) -> None:
    if entries:
        rows = (entry._replace(event_ts=moment_of(entry.event_ts)) for entry in entries)
        copy_rows(connection, "quarantine", QuarantineRow._fields, rows)


def _hash_of(entries: Iterable[QuarantineRow]) -> str:
    seen = sha256()
    for entry in entries:
        seen.update(f"{entry.event_ts} {entry.byte_length} {entry.reason}\n".encode())
    return seen.hexdigest()
