"""A rustbucket's share of an hour: what it is made of, its rows loaded, kept where they are still the same, or removed.

The hour as a whole, its build and its alerts are `build`'s.
"""

from collections.abc import Collection, Iterator, Sequence
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


def load_share(
    connection: Connection, archive: Archive, window: Window, share: Share, collectors: Networks
) -> tuple[Loaded, Drift]:
    """Parse and load one share, and write its sums; with the unknown templates it has.

    Raises:
        IntegrityError: an object isn't what its segment says, or the sums disagree.
    """
    tally = Tally(archived_bytes=sum(segment.byte_end - segment.byte_start for segment in share.segments))
    several = len({segment.log_id for segment in share.segments}) > 1
    parser = BulkParser(share.rustbucket_id, several_logs=several, tally=tally, collectors=collectors)
    written = Written()
    load_events(connection, _blocks(parser, archive, share.segments), written)
    output = version_of([str(PARSER_VERSION), written.version(), _load_quarantine(connection, parser.refused)])
    if not tally.agrees:
        raise IntegrityError(f"{share.rustbucket_id}, {window}: bytes don't add up ({tally}); report this as a bug")
    versions = {"inputs_version": share.inputs, "output_version": output}
    place = {"hour": window.start, "rustbucket_id": share.rustbucket_id}
    connection.execute(tables.hour_counts.insert(), {**place, **asdict(tally), **versions})
    return Loaded(share.inputs, output, tally), parser.drift


def _blocks(parser: BulkParser, archive: Archive, segments: list[Segment]) -> Iterator[Sequence[pa.RecordBatch]]:
    for run in runs_of(segments):
        grader = Grader(open=run[0].after_text, last=microseconds(run[0].clock))
        yield from parser.parse(read_run(archive, run), grader)


def _load_quarantine(connection: Connection, entries: list[QuarantineRow]) -> str:
    """Hash of the entries, in order."""
    seen = sha256()
    for entry in entries:
        seen.update(f"{entry.event_ts} {entry.byte_length} {entry.reason}\n".encode())
    if entries:
        rows = (entry._replace(event_ts=moment_of(entry.event_ts)) for entry in entries)
        copy_rows(connection, "quarantine", QuarantineRow._fields, rows)
    return seen.hexdigest()
