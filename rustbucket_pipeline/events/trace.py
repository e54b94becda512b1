"""From a row back to the bytes it was made of: segment, byte range, object, source file; every hash checked again.

Reads only, and asks no source: whether that still holds the bytes is `archive/at_source.py`. How it is shown is the
command line's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, RowMapping, select

from rustbucket_pipeline.errors import IntegrityError, UsageError
from rustbucket_pipeline.events.identity import nth_of
from rustbucket_pipeline.events.read import segment_bytes
from rustbucket_pipeline.events.redact import redacted_bytes
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.tables import log_events, segments


@dataclass(frozen=True, slots=True)
class Link:
    """A segment that holds bytes of the record.

    `fault` says why its object doesn't hold the bytes that were archived; empty: it does, by their SHA-256. `linked`:
    its own link of the log's hash chain is right, and joins that of the segment before.
    """

    segment: Segment
    linked: bool
    fault: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The file at its source from which the record was pulled, as it was then. `url`: the rustbucket's `logs_url`.

    `content_bytes` is what it unpacks to (None: it wasn't read to its end).
    """

    rustbucket: str
    url: str | None
    key: str
    etag: str | None
    size: int
    content_bytes: int | None
    pulled_at: datetime


@dataclass(frozen=True, slots=True)
class Trace:
    """An event and what it rests on.

    `row` are its columns, `links` its segments in order, `record` its bytes (our own secrets taken out; None: they are
    lost), `sha256` of the bytes as archived; `nth` says which of its equals the event is, None when the id isn't that
    of these bytes.
    """

    row: Mapping[str, object]
    origin: Origin
    links: tuple[Link, ...]
    record: bytes | None
    sha256: str | None
    nth: int | None

    @property
    def holds(self) -> bool:
        """Whether every hash on the way is right."""
        return self.nth is not None and all(link.linked and not link.fault for link in self.links)


def trace_event(connection: Connection, archive: Archive, event_id: str) -> Trace:
    """Follow the event down to its bytes. An unambiguous beginning of its id (8 digits or more) is enough.

    Raises:
        UsageError: no event, or more than one, has such an id.
    """
    row = _row_of(connection, event_id)
    links, data = _bytes_of(connection, archive, row)
    found = connection.execute(
        load_sql("rustbucket_pipeline.events", "source_of_segment"), {"segment_id": row["segment_id"]}
    ).one()
    return Trace(
        row=_plain(row),
        origin=Origin(*found),
        links=links,
        record=None if data is None else redacted_bytes(data),
        sha256=None if data is None else sha256(data).hexdigest(),
        nth=None if data is None else nth_of(str(row["event_id"]), str(row["rustbucket_id"]), data),
    )


def _plain(row: RowMapping) -> dict[str, object]:
    return {str(name): value for name, value in row.items()}


def _row_of(connection: Connection, event_id: str) -> RowMapping:
    if len(event_id) < 8 or not set(event_id) <= set("0123456789abcdef"):
        raise UsageError(f"{event_id[:80]!r} is no event id; give at least 8 of its hexadecimal digits")
    found = select(log_events).where(log_events.c.event_id.between(event_id, event_id + "g")).limit(2)
    rows = connection.execute(found).mappings().all()
    if not rows:
        frozen = "an event of a frozen day is found once `rustbucket archive thaw` opened it"
        raise UsageError(f"no event's id begins with {event_id}; ids stand in every report, and {frozen}")
    if len(rows) > 1:
        raise UsageError(f"several events' ids begin with {event_id}; give more digits")
    return rows[0]


def _bytes_of(connection: Connection, archive: Archive, row: RowMapping) -> tuple[tuple[Link, ...], bytes | None]:
    """The record's segments, and its bytes if all of those hold them."""
    start, end = row["byte_offset"], row["byte_offset"] + row["byte_length"]
    log_id = select(segments.c.log_id).where(segments.c.id == row["segment_id"]).scalar_subquery()
    found = connection.execute(
        select(
            *(segments.c[name] for name in Segment.__slots__),
            segments.c.previous_sha256,
            segments.c.chain_sha256,
            segments.c.redacted_sha256,
        )
        .where(segments.c.log_id == log_id, segments.c.byte_end > start, segments.c.byte_start < end)
        .order_by(segments.c.byte_start)
    ).all()
    links: list[Link] = []
    data = b""
    for *columns, previous, chain, redacted in found:
        segment = Segment(*columns)
        fault, held = "", b""
        try:
            held = segment_bytes(archive, replace(segment, sha256=redacted or segment.sha256))
        except IntegrityError as error:
            fault = str(error)
        links.append(Link(segment, _linked(connection, segment, previous, chain), fault))
        data += held[max(0, start - segment.byte_start) : end - segment.byte_start]
    return tuple(links), data if len(data) == end - start else None


def _linked(connection: Connection, segment: Segment, previous: str, chain: str) -> bool:
    before = connection.execute(
        select(segments.c.chain_sha256).where(
            segments.c.log_id == segment.log_id, segments.c.byte_end == segment.byte_start
        )
    ).scalar_one_or_none()
    own = version_of([previous, str(segment.byte_start), str(segment.byte_end), segment.sha256])
    return chain == own and previous == (before or "")
