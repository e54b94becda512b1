"""A log's bytes → pieces: runs of records of one half-hour window, each to become a segment.

Records come from `framing`; here is only where one window ends and the next begins. Blocks may be of any size.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rustbucket_pipeline.framing.lines import Integers
from rustbucket_pipeline.framing.records import FramedRecord, Framer
from rustbucket_pipeline.framing.split import MAX_RECORD_BYTES
from rustbucket_pipeline.framing.times import Clock
from rustbucket_pipeline.model.window import HALF_HOUR

PIECE_BYTES = 16 * 1024 * 1024
"""A piece that grows longer ends at its next head: bounds memory, and what one re-fetch costs."""

LONGEST_PIECE = PIECE_BYTES + MAX_RECORD_BYTES
"""Where no head comes at all, it ends here, at a line's end."""

CAREFUL_BYTES = 64 * 1024
"""Cut record by record at a time: bounds memory where a line is a byte long."""

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
        self._held = deque[bytes | memoryview]()
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
        self._held.append(block)
        base = self._framer.offset
        lines = self._framer.feed_lines(block)
        if lines is None:
            for at in range(0, len(block), CAREFUL_BYTES):
                yield from self._cut(self._framer.feed(block[at : at + CAREFUL_BYTES]))
        else:
            yield from self._cut_lines(lines.ends + base, lines.ts)

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

    def _cut_lines(self, ends: Integers, ts: Integers) -> Iterator[Piece]:
        """The same for JSON lines told at once: a stretch of one window after the other."""
        windows = ts // _HALF_HOUR_US
        borders = [*(np.flatnonzero(windows[1:] != windows[:-1]) + 1).tolist(), len(ts)]
        at = 0
        for border in borders:
            while at < border:
                if self._records and (int(windows[at]) != self._window or self._end - self._start > PIECE_BYTES):
                    yield self._piece()
                begin = self._start if self._records else self._end
                full = int(np.searchsorted(ends, begin + PIECE_BYTES, side="right")) + 1
                until = max(at + 1, min(border, full))
                self._add_lines(int(ends[until - 1]), ts[at:until])
                at = until

    def _add_lines(self, end: int, ts: Integers) -> None:
        first, last = int(ts.min()), int(ts.max())
        if not self._records:
            self._window, self._first, self._last = first // _HALF_HOUR_US, first, last
        self._first, self._last = min(self._first, first), max(self._last, last)
        self._records += len(ts)
        self._end = end
        self._clock = self._clock.after(int(ts[-1]), "json")

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

    def _take(self, length: int) -> bytes:
        """The next bytes of what is held, copied once."""
        taken: list[bytes | memoryview] = []
        while length:
            block = self._held.popleft()
            if len(block) > length:
                self._held.appendleft(memoryview(block)[length:])
                block = block[:length]
            taken.append(block)
            length -= len(block)
        return b"".join(taken)

    def _piece(self) -> Piece:
        data = self._take(self._end - self._start)
        window = self._window * _HALF_HOUR_US
        piece = Piece(self._start, data, window, self._records, self._first, self._last, self._before, self._clock)
        self._start, self._before, self._records = self._end, self._clock, 0
        return piece
