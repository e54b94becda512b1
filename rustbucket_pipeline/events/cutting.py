"""A segment's bytes → its records, framed on their own, as the archive cut them; many at once where that can be."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from rustbucket_pipeline.events.dialects import likely_dialect
from rustbucket_pipeline.events.pieces import LogRecord, Piece, PlainLines, PlainText
from rustbucket_pipeline.framing.lines import JsonLines
from rustbucket_pipeline.framing.records import FramedRecord, Framer
from rustbucket_pipeline.framing.texts import TextRecords
from rustbucket_pipeline.framing.times import Clock, microseconds
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.window import HALF_HOUR

_SNIFFED_BYTES = 1 << 18
_HALF_HOUR = HALF_HOUR // timedelta(microseconds=1)


def cut_segment(segment: Segment, blocks: Iterable[bytes]) -> Iterator[Piece]:
    """The records of a segment whose bytes come in blocks; together they cover them exactly once, in order."""
    cutter = _Cutter(segment)
    for block in blocks:
        yield from cutter.feed(block)
    yield from cutter.finish()


class _Cutter:
    """Holds the bytes of records that aren't complete."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._first = microseconds(segment.window_start)
        self._last = self._first + _HALF_HOUR - 1
        self._framer = Framer(_clock_of(segment), segment.byte_start)
        self._held, self._start, self._likely = b"", segment.byte_start, ""

    def feed(self, block: bytes) -> Iterator[Piece]:
        self._held += block
        lines = self._framer.feed_lines(block)
        if lines is not None:
            yield from self._lines(lines)
            return
        self._likely = self._likely or likely_dialect(self._held[:_SNIFFED_BYTES])
        for some in self._framer.feed_text(block):
            if isinstance(some, TextRecords):
                yield self._text(some)
            else:
                yield from self._records(some)

    def finish(self) -> Iterator[Piece]:
        text = self._framer.finish_text()
        if text is not None:
            yield self._text(text)
        yield from self._records(self._framer.finish())

    def _lines(self, lines: JsonLines) -> Iterator[LogRecord | PlainLines]:
        start, data = self._taken()
        plain = PlainLines(self._segment, start, data, lines.ends, lines.ts)
        if self._first <= lines.ts.min() and lines.ts.max() <= self._last:
            yield plain
        else:
            yield from map(self._settled, plain.records())

    def _text(self, text: TextRecords) -> PlainText:
        start, data = self._taken()
        ts = text.ts.clip(self._first, self._last)
        clamped = text.clamped | (ts != text.ts)
        return PlainText(self._segment, start, data, text.ends, ts, text.claimed, clamped, self._likely)

    def _records(self, framed: Iterable[FramedRecord]) -> Iterator[LogRecord]:
        start, data = self._taken()
        for offset, length, kind, claimed, ts, clamped in framed:
            whole = data[offset - start : offset - start + length]
            yield self._settled(LogRecord(self._segment, offset, whole, kind, claimed, ts, clamped, self._likely))

    def _taken(self) -> tuple[int, bytes]:
        """Where the records begin that the framer gave last, and their bytes, which are let go."""
        start, end = self._start, self._framer.offset
        data, self._held = self._held[: end - start], self._held[end - start :]
        self._start = end
        return start, data

    def _settled(self, record: LogRecord) -> LogRecord:
        """The archive saw the whole file when it chose the window; a record never leaves it here."""
        if self._first <= record.ts <= self._last:
            return record
        ts = min(max(record.ts, self._first), self._last)
        return record._replace(ts=ts, clamped=record.clamped or record.claimed is not None)


def _clock_of(segment: Segment) -> Clock:
    return Clock(
        microseconds(segment.clock),
        segment.after_text,
        microseconds(segment.vouched_from),
        microseconds(segment.vouched_until),
    )
