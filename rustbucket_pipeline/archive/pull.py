"""Brings every new byte of one rustbucket into the archive: list, recognise, cut, store, then write the ledger.

The order is the promise: objects are stored and durable before the one transaction that names them commits, so a kill
anywhere leaves at most objects without a row, never a row without an object (DESIGN section 5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import zstandard
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.archive import ledger
from rustbucket_pipeline.archive.cut import Cutter, Piece
from rustbucket_pipeline.archive.ledger import Cursor, NewSegment
from rustbucket_pipeline.archive.names import segment_key
from rustbucket_pipeline.archive.resume import continued_log, unchanged
from rustbucket_pipeline.archive.sources.base import Source, SourceFile
from rustbucket_pipeline.framing.times import Clock, microseconds, moment_of
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import advisory_lock

BEFORE_PERIOD = timedelta(minutes=10)
AFTER_PULL = timedelta(minutes=5)
"""What a file vouches for: its period −10 min … the pull +5 min (DESIGN section 3)."""

SETTLED_AFTER = timedelta(minutes=10)
"""A file this long past its period grows no more: its last line is taken even without a newline."""

BATCH_BYTES = 64 * 1024 * 1024
"""New bytes after which the ledger is written: bounds what a kill costs. A directory archive is flushed once each."""

COMPRESSION_LEVEL = 3


@dataclass(slots=True)
class Pulled:
    """What one pull of one rustbucket brought. Bytes as the source held them; `windows` by start, UTC."""

    files: int = 0
    new_bytes: int = 0
    stored_bytes: int = 0
    segments: int = 0
    windows: frozenset[datetime] = frozenset()

    def add(self, new: Sequence[NewSegment]) -> None:
        """Count segments that are stored and in the ledger."""
        self.segments += len(new)
        self.new_bytes += sum(segment.raw_bytes for segment in new)
        self.stored_bytes += sum(segment.stored_bytes for segment in new)
        self.windows |= {segment.window_start for segment in new}


@dataclass(frozen=True, slots=True)
class PullContext:
    """What every pull of a run shares. `since` is the start of the first window; `now` the time of the pull, UTC."""

    engine: Engine
    archive: Archive
    since: datetime
    now: datetime
    run_id: str | None


def pull_source(context: PullContext, rustbucket_id: str, source: Source, pulled: Pulled) -> None:
    """Archive everything the source holds that the archive lacks, and add it to `pulled` as it is committed.

    Raises:
        SourceUnavailable: the source failed; what came before it is archived and in the ledger.
        StoreUnavailable: the archive failed; the ledger says nothing that isn't stored.
    """
    waiting = sorted(source.files(), key=lambda file: (file.period or (context.now, context.now), file.key))
    pulled.files += len(waiting)
    while waiting:
        waiting = waiting[_pull_batch(context, rustbucket_id, source, waiting, pulled) :]


def _pull_batch(
    context: PullContext, rustbucket_id: str, source: Source, files: Sequence[SourceFile], pulled: Pulled
) -> int:
    """Pull files in one transaction until the batch is full; returns how many were dealt with."""
    new: list[NewSegment] = []
    done = 0
    with context.engine.begin() as connection:
        advisory_lock(connection, f"pull {rustbucket_id}")
        known = ledger.cursors(connection, rustbucket_id)
        ledger.see(connection, (known[file.key] for file in files if file.key in known), context.now)
        while done < len(files) and sum(segment.raw_bytes for segment in new) < BATCH_BYTES:
            file = files[done]
            done += 1
            if not unchanged(file, known.get(file.key)):
                known[file.key], added = _pull_file(context, connection, rustbucket_id, source, file, known)
                new += added
        if new:
            context.archive.settle()
            ledger.build_windows(connection, (segment.window_start for segment in new), context.run_id, context.now)
    pulled.add(new)
    return done


def _pull_file(
    context: PullContext,
    connection: Connection,
    rustbucket_id: str,
    source: Source,
    file: SourceFile,
    known: dict[str, Cursor],
) -> tuple[Cursor, list[NewSegment]]:
    continued = continued_log(source, file, known.values())
    cursor = ledger.open_cursor(
        connection,
        rustbucket_id,
        file,
        own=known.get(file.key),
        continues=continued.cursor if continued else None,
        start=file.period[0] if file.period else context.now,
        now=context.now,
    )
    prefix = continued.prefix if continued else sha256()
    cutter = Cutter(_clock(context, file, cursor), cursor.consumed)
    new: list[NewSegment] = []
    for piece in _pieces(source, file, cutter, tail=_settled(file, context.now)):
        prefix.update(piece.data)
        new.append(_store(context.archive, rustbucket_id, piece))
    ledger.add_segments(connection, rustbucket_id, cursor, new, context.now)
    return ledger.advance(connection, cursor, file, cutter.offset, prefix.hexdigest(), cutter.clock, context.now), new


def _clock(context: PullContext, file: SourceFile, cursor: Cursor) -> Clock:
    vouched_from = file.period[0] - BEFORE_PERIOD if file.period else context.since
    vouched_until = context.now + AFTER_PULL
    at = microseconds(cursor.clock_at)
    return Clock(at, cursor.after_text, microseconds(vouched_from), microseconds(vouched_until))


def _settled(file: SourceFile, now: datetime) -> bool:
    return file.period is not None and file.period[1] + SETTLED_AFTER <= now


def _pieces(source: Source, file: SourceFile, cutter: Cutter, *, tail: bool) -> Iterator[Piece]:
    with source.open(file, cutter.offset) as blocks:
        for block in blocks:
            yield from cutter.feed(block)
    yield from cutter.finish(tail=tail)


def _store(archive: Archive, rustbucket_id: str, piece: Piece) -> NewSegment:
    content = sha256(piece.data).hexdigest()
    window_start = moment_of(piece.window)
    key = segment_key(rustbucket_id, window_start, content)
    stored = zstandard.compress(piece.data, COMPRESSION_LEVEL)
    archive.put_new(key, stored)
    return NewSegment(
        window_start=window_start,
        byte_start=piece.start,
        byte_end=piece.start + len(piece.data),
        object_key=key,
        stored_bytes=len(stored),
        sha256=content,
        records=piece.records,
        first_event_ts=moment_of(piece.first),
        last_event_ts=moment_of(piece.last),
        clock=piece.clock,
    )
