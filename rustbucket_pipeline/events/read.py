"""Archived segments → the records of a log, whole and in order. Verifies every byte; knows nothing of meaning.

Each segment is framed on its own, as the archive cut it. Bare records that follow a text record belong to it, also over
a segment's border: an upload may have ended in the middle of a record.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

import zstandard

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.dialects import likely_dialect
from rustbucket_pipeline.framing.lines import JsonLines
from rustbucket_pipeline.framing.records import FramedRecord, Framer
from rustbucket_pipeline.framing.split import MAX_RECORD_BYTES, Kind
from rustbucket_pipeline.framing.texts import TextRecords
from rustbucket_pipeline.framing.times import Clock, microseconds
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.window import HALF_HOUR
from rustbucket_pipeline.storage.objects import Archive

BLOCK_BYTES = 1 << 18
"""Bytes taken out of a compressed object at a time; a segment is never held whole."""

_SNIFFED_BYTES = 1 << 18
_HALF_HOUR = HALF_HOUR // timedelta(microseconds=1)


class LogRecord(NamedTuple):
    """One record, whole, with its bytes (final newline included). `ts` and `claimed` are microseconds, UTC.

    `likely` is the text dialect of most records around it.
    """

    segment: Segment
    offset: int
    data: bytes
    kind: Kind
    claimed: int | None
    ts: int
    clamped: bool
    likely: str


class PlainLines(NamedTuple):
    """JSON records one behind the other, every one with a time that counts; `data` begins at `offset` of the log.

    Record n ends at `ends[n]`, counted from `data`'s beginning, and happened at `ts[n]` (microseconds, UTC).
    """

    segment: Segment
    offset: int
    data: bytes
    ends: list[int]
    ts: list[int]

    def span(self, place: int) -> tuple[int, int]:
        """Where the record at this place begins and ends in `data`."""
        return self.ends[place - 1] if place else 0, self.ends[place]

    def record(self, place: int) -> LogRecord:
        """The record at this place, counted from 0."""
        start, end = self.span(place)
        ts = self.ts[place]
        return LogRecord(
            self.segment, self.offset + start, self.data[start:end], "json", ts, ts, clamped=False, likely=""
        )

    def records(self) -> Iterator[LogRecord]:
        """All of them, one by one."""
        return map(self.record, range(len(self.ends)))


class PlainText(NamedTuple):
    """Text records one behind the other, with heads as Rustbucket writes them; `data` begins at `offset` of the log.

    Record n ends at `ends[n]`, counted from `data`'s beginning; the others are its columns of `LogRecord`.
    """

    segment: Segment
    offset: int
    data: bytes
    ends: list[int]
    claimed: list[int]
    ts: list[int]
    clamped: list[bool]
    likely: str

    def span(self, place: int) -> tuple[int, int]:
        """Where the record at this place begins and ends in `data`."""
        return self.ends[place - 1] if place else 0, self.ends[place]

    def record(self, place: int) -> LogRecord:
        """The record at this place, counted from 0."""
        start, end = self.span(place)
        times = self.claimed[place], self.ts[place], self.clamped[place]
        return LogRecord(self.segment, self.offset + start, self.data[start:end], "text", *times, self.likely)

    def records(self) -> Iterator[LogRecord]:
        """All of them, one by one."""
        return map(self.record, range(len(self.ends)))


def runs_of(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """Segments in the order of their logs and bytes → runs of one log without a gap."""
    run: list[Segment] = []
    for segment in segments:
        if run and (segment.log_id, segment.byte_start) != (run[-1].log_id, run[-1].byte_end):
            yield run
            run = []
        run.append(segment)
    if run:
        yield run


def records_of(archive: Archive, run: Sequence[Segment]) -> Iterator[LogRecord]:
    """The records of a run; together they cover its bytes exactly once, in order.

    Raises:
        IntegrityError: an object doesn't hold the bytes its segment says.
    """
    for read in read_run(archive, run):
        if isinstance(read, LogRecord):
            yield read
        else:
            yield from read.records()


def read_run(archive: Archive, run: Sequence[Segment]) -> Iterator[LogRecord | PlainLines | PlainText]:
    """The same, many records at once where that is quicker.

    Raises:
        IntegrityError: an object doesn't hold the bytes its segment says.
    """
    whole: _Whole | None = None
    for segment in run:
        for piece in _pieces(archive, segment):
            if whole is not None and isinstance(piece, LogRecord) and whole.takes(piece):
                whole.add(piece.data)
                continue
            if whole is not None:
                yield whole.record()
                whole = None
            if isinstance(piece, LogRecord):
                whole = _Whole(piece)
            else:
                yield piece
    if whole is not None:
        yield whole.record()


def segment_bytes(archive: Archive, segment: Segment) -> bytes:
    """All bytes of a segment, verified.

    Raises:
        IntegrityError: the object doesn't hold the bytes its segment says.
    """
    return b"".join(_blocks(archive, segment))


@dataclass(slots=True)
class _Whole:
    """A record that may still grow by bare ones."""

    head: LogRecord
    rest: list[bytes] = field(default_factory=list[bytes])
    length: int = 0

    def takes(self, piece: LogRecord) -> bool:
        size = len(self.head.data) + self.length + len(piece.data)
        return piece.kind == "bare" and self.head.kind == "text" and size <= MAX_RECORD_BYTES

    def add(self, data: bytes) -> None:
        self.rest.append(data)
        self.length += len(data)

    def record(self) -> LogRecord:
        return self.head._replace(data=b"".join([self.head.data, *self.rest])) if self.rest else self.head


def _pieces(archive: Archive, segment: Segment) -> Iterator[LogRecord | PlainLines | PlainText]:
    framer = Framer(_clock_of(segment), segment.byte_start)
    held, start, likely = b"", segment.byte_start, ""
    for block in _blocks(archive, segment):
        held += block
        if (lines := framer.feed_lines(block)) is not None:
            yield from _plain(segment, lines, held[: framer.offset - start], start)
        else:
            likely = likely or likely_dialect(held[:_SNIFFED_BYTES])
            if (text := framer.feed_text(block)) is not None:
                yield _text(segment, text, held[: framer.offset - start], start, likely)
            else:
                yield from _cut(segment, framer.feed(block), held, start, likely)
        held, start = held[framer.offset - start :], framer.offset
    yield from _cut(segment, framer.finish(), held, start, likely)


def _plain(segment: Segment, lines: JsonLines, data: bytes, start: int) -> Iterator[LogRecord | PlainLines]:
    first, last = _bounds(segment)
    plain = PlainLines(segment, start, data, lines.ends.tolist(), lines.ts.tolist())
    if first <= lines.ts.min() and lines.ts.max() <= last:
        yield plain
    else:
        yield from (_settled(record, first, last) for record in plain.records())


def _text(segment: Segment, text: TextRecords, data: bytes, start: int, likely: str) -> PlainText:
    ts = text.ts.clip(*_bounds(segment))
    clamped = text.clamped | (ts != text.ts)
    lists = text.ends.tolist(), text.claimed.tolist(), ts.tolist(), clamped.tolist()
    return PlainText(segment, start, data, *lists, likely)


def _cut(segment: Segment, framed: Iterable[FramedRecord], held: bytes, start: int, likely: str) -> Iterator[LogRecord]:
    first, last = _bounds(segment)
    for offset, length, kind, claimed, ts, clamped in framed:
        data = held[offset - start : offset - start + length]
        record = LogRecord(segment, offset, data, kind, claimed, ts, clamped, likely)
        yield record if first <= ts <= last else _settled(record, first, last)


def _bounds(segment: Segment) -> tuple[int, int]:
    first = microseconds(segment.window_start)
    return first, first + _HALF_HOUR - 1


def _settled(record: LogRecord, first: int, last: int) -> LogRecord:
    """The archive saw the whole file when it chose the window; a record never leaves it here."""
    ts = min(max(record.ts, first), last)
    return record._replace(ts=ts, clamped=record.clamped or (ts != record.ts and record.claimed is not None))


def _clock_of(segment: Segment) -> Clock:
    return Clock(
        microseconds(segment.clock),
        segment.after_text,
        microseconds(segment.vouched_from),
        microseconds(segment.vouched_until),
    )


def _blocks(archive: Archive, segment: Segment) -> Iterator[bytes]:
    """The segment's bytes; the last block is given only once all of them proved right."""
    seen, size, held = sha256(), 0, b""
    try:
        with zstandard.ZstdDecompressor().stream_reader(archive.get(segment.object_key)) as reader:
            while block := reader.read(BLOCK_BYTES):
                seen.update(block)
                size += len(block)
                if held:
                    yield held
                held = block
                if size > segment.byte_end - segment.byte_start:
                    break
    except zstandard.ZstdError as error:
        raise _broken(segment, f"can't be decompressed ({error})") from error
    if size != segment.byte_end - segment.byte_start or seen.hexdigest() != segment.sha256:
        raise _broken(segment, "doesn't hold the bytes that were archived")
    yield held


def _broken(segment: Segment, what: str) -> IntegrityError:
    return IntegrityError(
        f"object {segment.object_key} of {segment.rustbucket_id} {what}; restore it, or materialize log_archives "
        f"for {segment.window_start:%Y-%m-%d-%H:%M} while the source still has the bytes"
    )
