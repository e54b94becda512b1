"""Brings every new byte of one rustbucket into the archive: list, recognise, cut, store, then write the ledger.

The order is the promise: objects are stored and durable before the one transaction that names them commits, so a kill
anywhere leaves at most objects without a row, never a row without an object (DESIGN section 5).
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import BoundedSemaphore

from sqlalchemy import Connection, Engine

from rustbucket_pipeline.alerts.book import clear, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.archive import cursors, ledger
from rustbucket_pipeline.archive.beside import AT_ONCE
from rustbucket_pipeline.archive.cursors import Cursor
from rustbucket_pipeline.archive.held import Log, log_bytes
from rustbucket_pipeline.archive.ledger import NewSegment
from rustbucket_pipeline.archive.odd import note_odd_keys
from rustbucket_pipeline.archive.reading import Reading, Taken
from rustbucket_pipeline.archive.resume import unchanged
from rustbucket_pipeline.archive.sources.base import Held, Listing, Source, SourceFile
from rustbucket_pipeline.archive.steps import Step, Watcher, unwatched
from rustbucket_pipeline.errors import FileUnavailable, SourceUnavailable
from rustbucket_pipeline.framing.times import moment_of
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import advisory_lock

BATCH_BYTES = 64 * 1024 * 1024
BATCH_FILES = 500
"""New bytes, or files, after which the ledger is written: bounds what a kill costs. One flush of a directory each."""

WRITERS = 8
"""Rustbuckets archived side by side: each holds one database connection."""

MOST_UNREAD = 20
"""Files of a source that may fail before the others aren't tried any more in this pull."""


@dataclass(slots=True)
class Pulled:
    """What one pull of one rustbucket brought. Bytes as the source held them; `windows` by start, UTC.

    `unread` are the files that couldn't be read, and why.
    """

    files: int = 0
    new_bytes: int = 0
    stored_bytes: int = 0
    segments: int = 0
    windows: frozenset[datetime] = frozenset()
    unread: list[str] = field(default_factory=list[str])

    def add(self, new: Sequence[NewSegment]) -> None:
        """Count segments that are stored and in the ledger."""
        self.segments += len(new)
        self.new_bytes += sum(segment.raw_bytes for segment in new)
        self.stored_bytes += sum(segment.stored_bytes for segment in new)
        self.windows |= {segment.window_start for segment in new}


@dataclass(frozen=True, slots=True)
class PullContext:
    """What every pull of a run shares. `since` is the start of the first window; `now` the time of the pull, UTC.

    Whoever lists, reads or writes takes one of the `turns`; waiting for a rustbucket's own answer takes none. `reached`
    is told of every step.
    """

    engine: Engine
    archive: Archive
    since: datetime
    now: datetime
    run_id: str | None
    turns: BoundedSemaphore = field(default_factory=partial(BoundedSemaphore, WRITERS))
    reached: Watcher = unwatched


def pull_source(context: PullContext, rustbucket_id: str, source: Source, pulled: Pulled) -> None:
    """Archive everything the source holds that the archive lacks, and add it to `pulled` as it is committed.

    Raises:
        SourceUnavailable: the source or some of its files failed; what else it held is archived and in the ledger.
        StoreUnavailable: the archive failed; the ledger says nothing that isn't stored.
    """
    held = partial(_held, context, rustbucket_id)
    if source.waits:
        listing = source.files(held)
        with context.turns:
            _pull_listed(context, rustbucket_id, source, listing, pulled)
    else:
        with context.turns:
            _pull_listed(context, rustbucket_id, source, source.files(held), pulled)


def _pull_listed(context: PullContext, rustbucket_id: str, source: Source, listing: Listing, pulled: Pulled) -> None:
    context.reached(Step.LISTED)
    listing.files.sort(key=lambda file: (file.period or (context.now, context.now), file.key))
    pulled.files += len(listing.files)
    waiting = _changed(context, rustbucket_id, listing)
    while waiting and len(pulled.unread) < MOST_UNREAD:
        waiting = waiting[_pull_batch(context, rustbucket_id, source, waiting, pulled) :]
    if pulled.unread:
        left = f" and {len(waiting)} more weren't tried" if waiting else ""
        raise SourceUnavailable(f"{len(pulled.unread)} of its files can't be read{left}: {pulled.unread[0]}")


def _held(context: PullContext, rustbucket_id: str, key: str) -> Held | None:
    with context.engine.connect() as connection:
        own = cursors.cursors(connection, rustbucket_id, [key]).get(key)
        if own is None or not own.consumed:
            return None
        logs = ledger.logs_of(connection, rustbucket_id, [None]).candidates(None)
    log = next((log for log in logs if log.id == own.log_id and log.tip >= own.consumed), None)
    if log is None:
        return None
    blocks = partial(log_bytes, context.archive, log.links, own.consumed)
    return Held(own.etag or "", own.size, own.consumed, own.complete, blocks)


def _changed(context: PullContext, rustbucket_id: str, listing: Listing) -> list[SourceFile]:
    """Note what the listing shows, and what it no longer does; returns the files to look into."""
    with context.engine.begin() as connection:
        advisory_lock(connection, f"pull {rustbucket_id}")
        known = cursors.cursors(connection, rustbucket_id)
        listed = {file.key for file in listing.files}
        cursors.see(connection, [cursor for key, cursor in known.items() if key in listed], context.now)
        if listing.complete:
            _note_gone(connection, rustbucket_id, cursors.expire(connection, known, listed, context.now), context.now)
            note_odd_keys(connection, rustbucket_id, listing, context.now)
        context.reached(Step.SEEN)
    context.reached(Step.NOTED)
    return [file for file in listing.files if file.size and not unchanged(file, known.get(file.key))]


def _note_gone(connection: Connection, rustbucket_id: str, gone: Sequence[Cursor], now: datetime) -> None:
    new = [cursor for cursor in gone if not cursor.expired]
    if new:
        cause = f"{len(gone)} files are gone from the source before all of them was archived, e.g. {new[0].key}"
        raise_(connection, Kind.GAP_UNFILLABLE, rustbucket_id, cause, Kind.GAP_UNFILLABLE.severity, now)
    elif not gone:
        clear(connection, Kind.GAP_UNFILLABLE, rustbucket_id, now, "back at the source")


def _pull_batch(
    context: PullContext, rustbucket_id: str, source: Source, files: Sequence[SourceFile], pulled: Pulled
) -> int:
    """Pull files in one transaction until the batch is full; returns how many were dealt with."""
    done, stopped = 0, None
    with context.engine.begin() as connection, ThreadPoolExecutor(AT_ONCE, "store") as thread:
        advisory_lock(connection, f"pull {rustbucket_id}")
        reading = Reading(context.archive, rustbucket_id, source, thread, context.since, context.now, context.reached)
        batch = _Batch(context, connection, rustbucket_id, reading, files[:BATCH_FILES])
        context.reached(Step.BEGUN)
        for file in files[:BATCH_FILES]:
            if batch.full:
                break
            done += 1
            try:
                batch.pull(file)
            except FileUnavailable as error:
                batch.leave(file, str(error))
                pulled.unread.append(str(error))
            except SourceUnavailable as error:
                batch.leave(file, str(error))
                stopped = error
                break
        batch.finish()
    context.reached(Step.COMMITTED)
    pulled.add(batch.new)
    if stopped is not None:
        raise stopped
    return done


class _Batch:
    """Files that are pulled in one transaction, and the segments they brought so far."""

    def __init__(
        self,
        context: PullContext,
        connection: Connection,
        rustbucket_id: str,
        reading: Reading,
        files: Iterable[SourceFile],
    ) -> None:
        self.new: list[NewSegment] = []
        self._rows: list[dict[str, object]] = []
        self._bytes = 0
        self._context = context
        self._connection = connection
        self._rustbucket_id = rustbucket_id
        self._reading = reading
        self._known = cursors.cursors(connection, rustbucket_id, {file.key for file in files})
        self._logs = ledger.logs_of(connection, rustbucket_id, {file.period for file in files})

    @property
    def full(self) -> bool:
        """Whether it is time to write the ledger."""
        return self._bytes >= BATCH_BYTES

    def pull(self, file: SourceFile) -> None:
        """Store what the file has that its log lacks, and note how far it is archived now."""
        own = self._known.get(file.key)
        if unchanged(file, own):
            return
        log, taken = self._reading.take(file, own, self._logs.candidates(file.period))
        log_id = log.id if log else None
        begun = own is not None and own.id in self._logs
        cursor = cursors.save(
            self._connection, self._rustbucket_id, file, own, log_id, taken.reached, self._context.now, begun=begun
        )
        self._known[file.key] = cursor
        self._context.reached(Step.CURSOR)
        if taken.new:
            self._append(file, log, cursor, taken)

    def leave(self, file: SourceFile, reason: str) -> None:
        """Note that the file couldn't be read."""
        own = self._known.get(file.key)
        cursors.leave(self._connection, self._rustbucket_id, file, own, reason, self._context.now)

    def finish(self) -> None:
        """Make the objects durable; then write the ledger, and note what their windows consist of now."""
        cursors.begin_logs(self._connection, self._rustbucket_id)
        if self.new:
            self._context.archive.settle()
            self._context.reached(Step.SETTLED)
            ledger.add_segments(self._connection, self._rows)
            self._context.reached(Step.LEDGER)
            ledger.note_newest(self._connection, self._rustbucket_id, self.new)
            starts = (segment.window_start for segment in self.new)
            ledger.build_windows(self._connection, starts, self._context.run_id, self._context.now)
            self._context.reached(Step.BUILT)

    def _append(self, file: SourceFile, log: Log | None, cursor: Cursor, taken: Taken) -> None:
        begun = log or Log(cursor.log_id or cursor.id, (), moment_of(taken.new[0].clock.at), False, "")
        self._rows += ledger.rows_of(self._rustbucket_id, begun, cursor.id, taken.new, self._context.now)
        self._logs.put(ledger.appended(begun, taken.new), [file.period[0] if file.period else None])
        self.new += taken.new
        self._bytes += sum(segment.raw_bytes for segment in taken.new)
