"""From a row back to the bytes it was made of: segment, byte range, object, source file; every hash checked again.

Reads only. How it is shown is the command line's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, RowMapping, select

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.identity import nth_of
from rustbucket_pipeline.events.read import segment_bytes
from rustbucket_pipeline.events.redact import redacted_bytes
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.tables import log_events, segments


@dataclass(frozen=True, slots=True)
class Link:
    """A segment that holds bytes of the record, its object verified. `linked`: its log's hash chain leads to it."""

    segment: Segment
    linked: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """An event and what it rests on.

    `row` are its columns, `source` where its bytes were pulled from, `links` its segments in order, `record` its bytes
    (our own secrets taken out), `sha256` of the bytes as archived; `nth` says which of its equals the event is, None
    when the id isn't that of these bytes.
    """

    row: Mapping[str, object]
    source: Mapping[str, object]
    links: tuple[Link, ...]
    record: bytes
    sha256: str
    nth: int | None

    @property
    def holds(self) -> bool:
        """Whether every hash on the way is right."""
        return self.nth is not None and all(link.linked for link in self.links)


def trace_event(connection: Connection, archive: Archive, event_id: str) -> Trace:
    """Follow the event down to its bytes. An unambiguous beginning of its id (8 digits or more) is enough.

    Raises:
        UsageError: no event, or more than one, has such an id.
        IntegrityError: an object on the way doesn't hold the bytes its segment says.
    """
    row = _row_of(connection, event_id)
    links, data = _bytes_of(connection, archive, row)
    source = connection.execute(
        load_sql("rustbucket_pipeline.events", "source_of_segment"), {"segment_id": row["segment_id"]}
    )
    return Trace(
        row=_plain(row),
        source=_plain(source.mappings().one()),
        links=links,
        record=redacted_bytes(data),
        sha256=sha256(data).hexdigest(),
        nth=nth_of(str(row["event_id"]), str(row["rustbucket_id"]), data),
    )


def _plain(row: RowMapping) -> dict[str, object]:
    return {str(name): value for name, value in row.items()}


def _row_of(connection: Connection, event_id: str) -> RowMapping:
    if len(event_id) < 8 or not set(event_id) <= set("0123456789abcdef"):
        raise UsageError(f"{event_id[:80]!r} is no event id; give at least 8 of its hexadecimal digits")
    found = select(log_events).where(log_events.c.event_id.between(event_id, event_id + "g")).limit(2)
    rows = connection.execute(found).mappings().all()
    if not rows:
        raise UsageError(f"no event's id begins with {event_id}; ids stand in log_events.event_id and in every report")
    if len(rows) > 1:
        raise UsageError(f"several events' ids begin with {event_id}; give more digits")
    return rows[0]


def _bytes_of(connection: Connection, archive: Archive, row: RowMapping) -> tuple[tuple[Link, ...], bytes]:
    start, end = row["byte_offset"], row["byte_offset"] + row["byte_length"]
    log_id = select(segments.c.log_id).where(segments.c.id == row["segment_id"]).scalar_subquery()
    found = connection.execute(
        select(*(segments.c[name] for name in Segment.__slots__), segments.c.previous_sha256)
        .where(segments.c.log_id == log_id, segments.c.byte_end > start, segments.c.byte_start < end)
        .order_by(segments.c.byte_start)
    ).all()
    links: list[Link] = []
    data = b""
    for *columns, previous in found:
        segment = Segment(*columns)
        links.append(Link(segment, _linked(connection, segment, previous)))
        held = segment_bytes(archive, segment)
        data += held[max(0, start - segment.byte_start) : end - segment.byte_start]
    return tuple(links), data


def _linked(connection: Connection, segment: Segment, previous: str) -> bool:
    before = connection.execute(
        select(segments.c.chain_sha256).where(
            segments.c.log_id == segment.log_id, segments.c.byte_end == segment.byte_start
        )
    ).scalar_one_or_none()
    return previous == (before or "")
