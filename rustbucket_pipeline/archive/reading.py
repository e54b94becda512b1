"""One file's reading: recognise its log, cut what is new into pieces, store them. Source and objects only, no rows."""

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import zstandard

from rustbucket_pipeline.archive.beside import Beside
from rustbucket_pipeline.archive.cursors import Cursor, Reached
from rustbucket_pipeline.archive.cut import Cutter, Piece
from rustbucket_pipeline.archive.decode import Content, from_offset
from rustbucket_pipeline.archive.held import Link, Log, link_bytes
from rustbucket_pipeline.archive.ledger import NewSegment, chain_of
from rustbucket_pipeline.archive.names import segment_key
from rustbucket_pipeline.archive.resume import Place, grown, recognise
from rustbucket_pipeline.archive.sources.base import Source, SourceFile
from rustbucket_pipeline.archive.steps import Step, Watcher, unwatched
from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.framing.times import Clock, microseconds, moment_of
from rustbucket_pipeline.storage.objects import Archive

BEFORE_PERIOD = timedelta(minutes=10)
AFTER_PULL = timedelta(minutes=5)
"""What a file vouches for: its period −10 min … the pull +5 min (DESIGN section 3)."""

SETTLED_AFTER = timedelta(minutes=10)
"""A file this long past its period grows no more: its last line is taken even without a newline."""

COMPRESSION_LEVEL = 1
"""Level 3 takes 1.4 times as long for objects that are 2 % smaller."""

_HASH_LOG, _WINDOW_LOG = 12, 20
"""A table of 16 KB leaves room in a core's first cache, and a window of 1 MB makes up for what it forgets: objects as
large as with the level's own (64 KB, 512 KB) within 0.2 %, in 0.88 of the time."""

UNFINISHED = "its last line isn't complete yet"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file brought: segments stored but not yet in the ledger, and how far it is archived with them."""

    new: list[NewSegment]
    reached: Reached


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads files of one rustbucket's source. `since` is the start of the first window, `now` of the pull, UTC.

    `thread` stores beside the reading.
    """

    archive: Archive
    rustbucket_id: str
    source: Source
    thread: Executor
    since: datetime
    now: datetime
    reached: Watcher = unwatched

    def take(self, file: SourceFile, own: Cursor | None, logs: Sequence[Log]) -> tuple[Log | None, Taken]:
        """Store what the file has that isn't archived; the log it continues, None if it begins one.

        Raises:
            FileUnavailable: it changed or is gone since it was listed; what was stored of it is swept later.
        """
        place = grown(self.archive, file, own, logs)
        if place is not None and place.md5 is not None:
            taken = self._rest(file, place, packed=False)
            if place.md5.hexdigest() == file.md5:
                return place.log, taken
        place, content = self._recognise(file, logs)
        if place.whole and content is not None:
            clock = self._clock(file, place)
            return place.log, Taken([], _reached(place.length, place.length, place.chain, content.broken, clock))
        return place.log, self._rest(file, place, packed=content is None or content.packed)

    def _recognise(self, file: SourceFile, logs: Sequence[Log]) -> tuple[Place, Content | None]:
        if not logs:
            return Place(), None
        with self.source.open(file, 0) as blocks:
            content = Content(blocks)
            place = recognise(self.archive, content, logs)
            self.reached(Step.RECOGNISED)
            return place, content

    def _rest(self, file: SourceFile, place: Place, *, packed: bool) -> Taken:
        """Store what follows the file's place. `packed`: it may be, so that only its beginning says where that is."""
        cutter = Cutter(self._clock(file, place), place.length)
        with self.source.open(file, 0 if packed else place.length) as blocks, self._beside() as storing:
            content = Content(blocks) if packed else None
            length = place.length
            for block in from_offset(content, place.length) if content else blocks:
                length += len(block)
                if place.md5 is not None:
                    place.md5.update(block)
                storing.take(cutter.feed(block))
            broken = content.broken if content else ""
            tail = self._settled(file) or bool(broken)
            storing.take(cutter.finish(tail=tail))
            new = storing.finish()
        return Taken(new, _reached(cutter.offset, length, chain_of(new, place.chain), broken, cutter.clock))

    def _clock(self, file: SourceFile, place: Place) -> Clock:
        """What is known of time where the file goes on. A name of tomorrow vouches for nothing."""
        vouched_from = file.period[0] - BEFORE_PERIOD if file.period else self.since
        begin = min(file.period[0], self.now) if file.period else self.now
        at, after_text = (place.log.clock_at, place.log.after_text) if place.log else (begin, False)
        vouched_until = microseconds(self.now + AFTER_PULL)
        return Clock(microseconds(at), after_text, microseconds(vouched_from), vouched_until)

    def _settled(self, file: SourceFile) -> bool:
        return file.period is not None and file.period[1] + SETTLED_AFTER <= self.now

    def _beside(self) -> AbstractContextManager[Beside]:
        return Beside(self._store, self.thread).ended()

    def _store(self, piece: Piece) -> NewSegment:
        content = sha256(piece.data).hexdigest()
        window_start = moment_of(piece.window)
        key = segment_key(self.rustbucket_id, window_start, content)
        end = piece.start + len(piece.data)
        stored_bytes = put_segment(self.archive, Link(piece.start, end, content, key), piece.data)
        self.reached(Step.STORED)
        return NewSegment(
            window_start=window_start,
            byte_start=piece.start,
            byte_end=end,
            object_key=key,
            stored_bytes=stored_bytes,
            sha256=content,
            records=piece.records,
            first_event_ts=moment_of(piece.first),
            last_event_ts=moment_of(piece.last),
            clock=piece.clock,
            clock_after=piece.clock_after,
        )


def put_segment(archive: Archive, link: Link, data: bytes) -> int:
    """Store a segment's bytes under its key; returns the object's size in bytes.

    Another release of zstd may have packed the same bytes differently: then what is there stays.

    Raises:
        IntegrityError: the store holds something else under that key, and may not be overwritten.
    """
    stored = _packed(data)
    try:
        archive.put_new(link.object_key, stored)
    except IntegrityError:
        link_bytes(archive, link)
        return archive.size(link.object_key) or 0
    return len(stored)


def _packed(data: bytes) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(
        compression_level=COMPRESSION_LEVEL, hash_log=_HASH_LOG, window_log=_WINDOW_LOG
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(data)


def _reached(consumed: int, length: int, chain: str, broken: str, clock: Clock) -> Reached:
    unarchived = broken or (UNFINISHED if consumed < length else None)
    return Reached(consumed, length, chain, clock, unarchived)
