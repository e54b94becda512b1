"""A log's records as they are handed on: one, or many that follow each other in a block of its bytes. No meaning."""

from collections.abc import Iterator
from typing import NamedTuple

from rustbucket_pipeline.framing.split import Kind
from rustbucket_pipeline.model.segment import Segment


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


Piece = LogRecord | PlainLines | PlainText
