"""A log's bytes → pieces: runs of records of one half-hour window, each to become a segment.

Records come from `framing`; here is only where one window ends and the next begins. Blocks may be of any size.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rustbucket_pipeline.framing.records import FramedRecord, Framer
from rustbucket_pipeline.framing.split import MAX_RECORD_BYTES
from rustbucket_pipeline.framing.times import Clock
from rustbucket_pipeline.model.window import HALF_HOUR

PIECE_BYTES = 16 * 1024 * 1024
"""A piece that grows longer ends at its next head: bounds memory, and what one re-fetch costs."""

LONGEST_PIECE = PIECE_BYTES + MAX_RECORD_BYTES
"""Where no head comes at all, it ends here, at a line's end."""

_HALF_HOUR_US = int(HALF_HOUR.total_seconds()) * 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes `[start, start + len(data))` of a log, all of one window. Times in microseconds since the epoch, UTC.

    `clock` is what was known of time before the first record, `clock_after` after the last one.
    """

    start: int
    data: bytes
    window: int
    records: int
    first: int
    last: int
    clock: Clock
    clock_after: Clock


class Cutter:
    """Cuts one log into pieces, from a line's beginning on."""

    def __init__(self, clock: Clock, offset: int) -> None:
        """`clock` is what is known of time before the byte at `offset`."""
        self._framer = Framer(clock, offset)
        self._buffer = bytearray()
        self._start = self._end = offset
        self._clock = self._before = clock
        self._records = 0
        self._window = self._first = self._last = 0

    @property
    def clock(self) -> Clock:
        """What is known of time after the last record of the pieces so far."""
        return self._clock

    @property
    def offset(self) -> int:
        """End of the last record of the pieces so far."""
        return self._end

    def feed(self, block: bytes) -> Iterator[Piece]:
        """The pieces that ended within this block."""
        self._buffer += block
        yield from self._cut(self._framer.feed(block))

    def finish(self, *, tail: bool) -> Iterator[Piece]:
        """The pieces left; without `tail`, a last line that has no newline yet stays for a later pull."""
        yield from self._cut(self._framer.finish(tail=tail))
        if self._records:
            yield self._piece()

    def _cut(self, records: list[FramedRecord]) -> Iterator[Piece]:
        for record in records:
            if self._records and self._ends_before(record):
                yield self._piece()
            self._add(record)

    def _add(self, record: FramedRecord) -> None:
        ts = record.ts
        if not self._records:
            self._window = ts // _HALF_HOUR_US
            self._first = self._last = ts
        elif ts < self._first:
            self._first = ts
        elif ts > self._last:
            self._last = ts
        self._records += 1
        self._end = record.offset + record.length
        self._clock = self._clock.after(ts, record.kind)

    def _ends_before(self, record: FramedRecord) -> bool:
        if record.ts // _HALF_HOUR_US != self._window:
            return True
        length = self._end - self._start
        return length > (LONGEST_PIECE if record.kind == "bare" else PIECE_BYTES)

    def _piece(self) -> Piece:
        length = self._end - self._start
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        window = self._window * _HALF_HOUR_US
        piece = Piece(self._start, data, window, self._records, self._first, self._last, self._before, self._clock)
        self._start, self._before, self._records = self._end, self._clock, 0
        return piece
