"""A rustbucket's share of an hour: what it is made of, its rows loaded, kept where they are still the same, or removed.

The hour as a whole, its build and its alerts are `build`'s.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, delete, func, select

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.load import load_events
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import QuarantineRow
from rustbucket_pipeline.events.readers import readers
from rustbucket_pipeline.events.reading import Came, Source
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.framing.times import moment_of
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


def load_shares(
    connection: Connection,
    archive: Archive,
    shares: Sequence[tuple[Window, Share]],
    collectors: Networks,
    table: str = "log_events",
) -> list[tuple[Loaded, Drift]]:
    """Parse and load shares, each of its hour, and write their sums; with the unknown templates each has.

    `table` as in `load_events`.

    Raises:
        IntegrityError: an object isn't what its segment says, or the sums disagree.
    """
    loaded: dict[int, tuple[Loaded, Drift]] = {}
    sources = [Source(share.rustbucket_id, share.segments, collectors) for _, share in shares]
    with readers(sources, archive) as reading:
        while reading.left:
            rows = load_events(connection, reading.rows(), table)
            came = {number: (*shares[number], one) for number, one in reading.take().items()}
            if rows != (events := sum(one.tally.events for *_, one in came.values())):
                raise IntegrityError(f"{events} events came to {rows} rows; report this as a bug")
            loaded |= zip(came, _settled(connection, came.values()), strict=True)
    return [loaded[number] for number in range(len(shares))]


def _settled(connection: Connection, shares: Collection[tuple[Window, Share, Came]]) -> list[tuple[Loaded, Drift]]:
    """Write down what loaded shares came to."""
    entries = [entry._replace(event_ts=moment_of(entry.event_ts)) for *_, came in shares for entry in came.refused]
    if entries:
        copy_rows(connection, "quarantine", QuarantineRow._fields, entries)
    sums: list[Mapping[str, object]] = []
    for window, share, came in shares:
        whose = {"hour": window.start, "rustbucket_id": share.rustbucket_id}
        if not came.tally.agrees:
            raise IntegrityError(
                f"{share.rustbucket_id}, {window}: bytes don't add up ({came.tally}); report this as a bug"
            )
        sums.append(whose | asdict(came.tally) | {"inputs_version": share.inputs, "output_version": came.version})
    connection.execute(tables.hour_counts.insert(), sums)
    return [(Loaded(share.inputs, came.version, came.tally), came.drift) for _, share, came in shares]
