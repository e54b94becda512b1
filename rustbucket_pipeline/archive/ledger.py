"""The ledger: which bytes of which file are archived where. Tables `source_files`, `segments` and the archive's builds.

Rows only: no object and no source is touched here. Everything runs in the caller's transaction, which holds the
rustbucket's lock, so that a second pull of it waits and then finds nothing new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, func, insert, select, update

from rustbucket_pipeline.archive.sources.base import SourceFile
from rustbucket_pipeline.framing.times import Clock, moment_of
from rustbucket_pipeline.model.window import HALF_HOUR, Window
from rustbucket_pipeline.storage.builds import Build, record_build, version_of
from rustbucket_pipeline.storage.postgres import advisory_lock
from rustbucket_pipeline.storage.tables import rustbuckets, segments, source_files

ASSET = "log_archives"
CODE_VERSION = "1"
"""Rises when the same source bytes would be cut into other segments."""

EMPTY_SHA256 = sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source file is archived: `consumed` bytes, whose SHA-256 is `prefix_sha256`. Only saves reading.

    `tip` is how far its log is, of which the file may be one of several copies.
    """

    id: int
    log_id: int
    key: str
    etag: str
    size: int
    consumed: int
    prefix_sha256: str
    clock_at: datetime
    after_text: bool
    tip: int


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A stored piece, not yet in the ledger. Times UTC, sizes in bytes."""

    window_start: datetime
    byte_start: int
    byte_end: int
    object_key: str
    stored_bytes: int
    sha256: str
    records: int
    first_event_ts: datetime
    last_event_ts: datetime
    clock: Clock

    @property
    def raw_bytes(self) -> int:
        """Length in the source, before compression."""
        return self.byte_end - self.byte_start


def cursors(connection: Connection, rustbucket_id: str) -> dict[str, Cursor]:
    """Every current source file of the rustbucket, by key."""
    tip = (
        select(func.coalesce(func.max(segments.c.byte_end), 0))
        .where(segments.c.log_id == source_files.c.log_id)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(source_files, tip.label("tip")).where(
            source_files.c.rustbucket_id == rustbucket_id, source_files.c.replaced_at.is_(None)
        )
    )
    return {
        row.key: Cursor(
            row.id,
            row.log_id,
            row.key,
            row.etag,
            row.size,
            row.consumed,
            row.prefix_sha256,
            row.clock,
            row.after_text,
            row.tip,
        )
        for row in rows
    }


def open_cursor(
    connection: Connection,
    rustbucket_id: str,
    file: SourceFile,
    *,
    own: Cursor | None,
    continues: Cursor | None,
    start: datetime,
    now: datetime,
) -> Cursor:
    """The cursor to go on from: where the log that the file continues ends, or the beginning of a new log.

    `own` is the cursor its key had so far; it is closed when the key now holds another log. A new log's clock begins
    at `start`.
    """
    if own is not None and continues is not None and own.log_id == continues.log_id:
        return replace(continues, id=own.id, key=file.key)
    if own is not None:
        connection.execute(update(source_files).where(source_files.c.id == own.id).values(replaced_at=now))
    base = continues or Cursor(0, 0, file.key, "", 0, 0, EMPTY_SHA256, start, after_text=False, tip=0)
    period_start, period_end = file.period or (None, None)
    new_id = connection.execute(
        insert(source_files)
        .values(
            rustbucket_id=rustbucket_id,
            key=file.key,
            log_id=base.log_id or None,
            etag="",
            size=file.size,
            consumed=base.consumed,
            prefix_sha256=base.prefix_sha256,
            clock=base.clock_at,
            after_text=base.after_text,
            period_start=period_start,
            period_end=period_end,
            first_seen_at=now,
            last_seen_at=now,
        )
        .returning(source_files.c.id)
    ).scalar_one()
    if not base.log_id:
        connection.execute(update(source_files).where(source_files.c.id == new_id).values(log_id=new_id))
    return replace(base, id=new_id, key=file.key, log_id=base.log_id or new_id)


def advance(
    connection: Connection,
    cursor: Cursor,
    file: SourceFile,
    consumed: int,
    prefix_sha256: str,
    clock: Clock,
    now: datetime,
) -> Cursor:
    """Move the cursor to `consumed` bytes of the listed file; the log's other copies keep theirs."""
    moved = replace(
        cursor,
        etag=file.etag,
        size=file.size,
        consumed=consumed,
        prefix_sha256=prefix_sha256,
        clock_at=moment_of(clock.at),
        after_text=clock.after_text,
        tip=max(cursor.tip, consumed),
    )
    connection.execute(
        update(source_files)
        .where(source_files.c.id == cursor.id)
        .values(
            etag=moved.etag,
            size=moved.size,
            consumed=moved.consumed,
            prefix_sha256=moved.prefix_sha256,
            clock=moved.clock_at,
            after_text=moved.after_text,
            last_seen_at=now,
        )
    )
    return moved


def see(connection: Connection, seen: Iterable[Cursor], now: datetime) -> None:
    """Note that these files are still there, unchanged."""
    ids = [cursor.id for cursor in seen]
    if ids:
        connection.execute(update(source_files).where(source_files.c.id.in_(ids)).values(last_seen_at=now))


def add_segments(
    connection: Connection, rustbucket_id: str, cursor: Cursor, new: Sequence[NewSegment], now: datetime
) -> None:
    """Append the segments to their log and its hash chain, in byte order."""
    previous = connection.execute(
        select(segments.c.chain_sha256)
        .where(segments.c.log_id == cursor.log_id)
        .order_by(segments.c.byte_start.desc())
        .limit(1)
    ).scalar_one_or_none()
    rows: list[dict[str, object]] = []
    for segment in new:
        chain = chain_hash(previous or "", segment.byte_start, segment.byte_end, segment.sha256)
        rows.append(_segment_row(segment, rustbucket_id, cursor, previous or "", chain, now))
        previous = chain
    if rows:
        connection.execute(insert(segments), rows)
        newest = max(segment.last_event_ts for segment in new)
        connection.execute(
            update(rustbuckets)
            .where(rustbuckets.c.id == rustbucket_id)
            .values(last_log_at=func.greatest(func.coalesce(rustbuckets.c.last_log_at, newest), newest))
        )


def _segment_row(
    segment: NewSegment, rustbucket_id: str, cursor: Cursor, previous: str, chain: str, now: datetime
) -> dict[str, object]:
    return {
        "log_id": cursor.log_id,
        "source_file_id": cursor.id,
        "rustbucket_id": rustbucket_id,
        "window_start": segment.window_start,
        "byte_start": segment.byte_start,
        "byte_end": segment.byte_end,
        "object_key": segment.object_key,
        "stored_bytes": segment.stored_bytes,
        "sha256": segment.sha256,
        "previous_sha256": previous,
        "chain_sha256": chain,
        "records": segment.records,
        "first_event_ts": segment.first_event_ts,
        "last_event_ts": segment.last_event_ts,
        "clock": moment_of(segment.clock.at),
        "after_text": segment.clock.after_text,
        "vouched_from": moment_of(segment.clock.vouched_from),
        "vouched_until": moment_of(segment.clock.vouched_until),
        "pulled_at": now,
    }


def chain_hash(previous: str, byte_start: int, byte_end: int, content_sha256: str) -> str:
    """A link of a log's chain: whoever changes a segment, its place or its order changes every later link."""
    return version_of([previous, str(byte_start), str(byte_end), content_sha256])


def build_windows(connection: Connection, starts: Iterable[datetime], run_id: str | None, now: datetime) -> None:
    """Note what the windows now consist of; last in the transaction, so that pulls side by side see each other."""
    for start in sorted(set(starts)):
        advisory_lock(connection, f"log_archives {start.isoformat()}")
        version = window_version(connection, start)
        build = Build(ASSET, Window(start, HALF_HOUR), version, version, CODE_VERSION, run_id)
        record_build(connection, build, now)


def window_version(connection: Connection, start: datetime) -> str:
    """Version of a window's archive: which bytes of which logs it holds."""
    rows = connection.execute(
        select(segments.c.rustbucket_id, segments.c.log_id, segments.c.byte_start, segments.c.sha256)
        .where(segments.c.window_start == start)
        .order_by(segments.c.rustbucket_id, segments.c.log_id, segments.c.byte_start)
    )
    return version_of(f"{row.rustbucket_id} {row.log_id} {row.byte_start} {row.sha256}" for row in rows)
