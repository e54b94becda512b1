"""One address overwritten in archived bytes: `#` for each of its characters, in new objects; the old ones are deleted.

The ledger keeps the old hash, who did it and when. Chains and signed manifests are of the bytes as they came, so they
still verify; `archive verify` counts such segments as redacted. Rows that were made of these bytes: `upkeep.purging`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import islice

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from rustbucket_pipeline.archive.cat import content
from rustbucket_pipeline.archive.held import Link
from rustbucket_pipeline.archive.ledger import build_windows
from rustbucket_pipeline.archive.names import segment_key
from rustbucket_pipeline.archive.reading import put_segment
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.address_text import LONGEST, AddressText
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import advisory_lock
from rustbucket_pipeline.storage.retention_tables import holds, redactions
from rustbucket_pipeline.storage.tables import segments

WORKERS = 4
_BATCH = 64

Span = tuple[int, int]
"""Bytes `[start, end)` of a log."""

Segment = Row[tuple[object, ...]]
Progress = Callable[[int, int], None]
"""Told how many of how many segments were looked at."""


@dataclass(slots=True)
class Sightings:
    """Where an address stands: by rustbucket, the segments, and in each the bytes of its log."""

    by_rustbucket: dict[str, dict[int, list[Span]]] = field(default_factory=dict[str, dict[int, list[Span]]])

    def add(self, rustbucket_id: str, segment_id: int, span: Span) -> None:
        """Note that those bytes of the segment's log are the address, or a part of it."""
        self.by_rustbucket.setdefault(rustbucket_id, {}).setdefault(segment_id, []).append(span)

    @property
    def segments(self) -> int:
        """In how many segments."""
        return sum(len(found) for found in self.by_rustbucket.values())


def find(engine: Engine, archive: Archive, address: AddressText, progress: Progress) -> Sightings:
    """Look through all archived bytes, also across the borders of segments.

    Raises:
        IntegrityError: an object is missing or altered; `rustbucket archive verify` says which.
    """
    found = Sightings()
    with engine.connect() as connection, ThreadPoolExecutor(WORKERS, thread_name_prefix="search") as pool:
        kept = segments.c.expired_at.is_(None)
        total = connection.execute(select(func.count()).select_from(segments).where(kept)).scalar_one()
        query = select(segments).where(kept).order_by(segments.c.log_id, segments.c.byte_start)
        rows = iter(connection.execute(query, execution_options={"yield_per": _BATCH}))
        search, done = _Search(address, found), 0
        while batch := list(islice(rows, _BATCH)):
            for row, data in zip(batch, pool.map(partial(_bytes_of, archive), batch), strict=True):
                search.through(row, data)
            done += len(batch)
            progress(done, total)
    return found


def require_free(engine: Engine, found: Sightings) -> None:
    """Let pass what isn't held.

    Raises:
        UsageError: a rustbucket whose bytes hold the address is under a legal hold.
    """
    with engine.connect() as connection:
        held = connection.execute(select(holds.c.rustbucket_id).where(holds.c.released_at.is_(None))).scalars()
        if both := sorted(set(held) & found.by_rustbucket.keys()):
            raise UsageError(
                f"{', '.join(both)} is under a legal hold, and its logs hold the address: nothing was changed; "
                "`rustbucket fleet release` ends the hold"
            )


def redact(engine: Engine, archive: Archive, found: Sightings, by: str, now: datetime) -> int:
    """Overwrite what was found; how many segments that were. Killed in between, the next time goes on.

    Raises:
        IntegrityError: an object was changed since; what is committed stays.
    """
    for rustbucket_id, spans in sorted(found.by_rustbucket.items()):
        with engine.begin() as connection:
            advisory_lock(connection, f"pull {rustbucket_id}")
            rows = connection.execute(select(segments).where(segments.c.id.in_(spans))).all()
            for row in rows:
                _overwrite(connection, archive, row, spans[row.id], by, now)
            archive.settle()
            build_windows(connection, (row.window_start for row in rows), None, now)
    _delete_old(engine, archive)
    return found.segments


class _Search:
    """Goes through segments in the order of their logs, and remembers those that an address may have begun in."""

    def __init__(self, address: AddressText, found: Sightings) -> None:
        self._pattern = address.in_bytes()
        self._found = found
        self._before: list[Segment] = []
        self._tail = b""

    def through(self, row: Segment, data: bytes) -> None:
        last = self._before[-1] if self._before else None
        if last is None or (last.log_id, last.byte_end) != (row.log_id, row.byte_start):
            self._before, self._tail = [], b""
        joined, first = self._tail + data, row.byte_start - len(self._tail)
        self._before.append(row)
        for match in self._pattern.finditer(joined):
            start, end = first + match.start(), first + match.end()
            for one in self._before if end > row.byte_start else ():
                if one.byte_start < end and start < one.byte_end:
                    span = max(start, one.byte_start), min(end, one.byte_end)
                    self._found.add(one.rustbucket_id, one.id, span)
        self._tail = joined[-LONGEST:]
        self._before = [one for one in self._before if one.byte_end > row.byte_end - LONGEST]


def _overwrite(
    connection: Connection, archive: Archive, row: Segment, spans: list[Span], by: str, now: datetime
) -> None:
    data = bytearray(_bytes_of(archive, row))
    for start, end in spans:
        data[start - row.byte_start : end - row.byte_start] = b"#" * (end - start)
    digest = sha256(data).hexdigest()
    key = segment_key(row.rustbucket_id, row.window_start, digest)
    stored = put_segment(archive, Link(row.byte_start, row.byte_end, digest, key), bytes(data))
    old = row.redacted_sha256 or row.sha256
    connection.execute(
        insert(redactions).values(
            segment_id=row.id,
            old_sha256=old,
            new_sha256=digest,
            bytes=sum(end - start for start, end in spans),
            redacted_by=by,
            redacted_at=now,
        )
    )
    changed = {"object_key": key, "stored_bytes": stored, "redacted_sha256": digest}
    connection.execute(update(segments).where(segments.c.id == row.id).values(changed))


def _delete_old(engine: Engine, archive: Archive) -> None:
    """Delete the objects that redactions replaced, this time's and those an earlier one was killed before."""
    with engine.connect() as connection:
        named = select(segments.c.rustbucket_id, segments.c.window_start, redactions.c.old_sha256)
        replaced = connection.execute(named.join(redactions, redactions.c.segment_id == segments.c.id)).all()
        keys = {segment_key(row.rustbucket_id, row.window_start, row.old_sha256) for row in replaced}
        kept = set(connection.execute(select(segments.c.object_key).where(segments.c.object_key.in_(keys))).scalars())
    for key in keys - kept:
        archive.delete(key)


def _bytes_of(archive: Archive, row: Segment) -> bytes:
    return content(archive, row.object_key, row.redacted_sha256 or row.sha256, row.byte_end - row.byte_start)
