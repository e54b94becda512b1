"""A log's records as they are handed on: one, or many that follow each other in a block of its bytes. No meaning."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from rustbucket_pipeline.framing.split import Kind
from rustbucket_pipeline.framing.words import Integers, Truths
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


class Spans(NamedTuple):
    """Where records begin in a block, and how long they are, in bytes."""

    starts: Integers
    lengths: Integers


@dataclass(frozen=True)
class Block(ABC):
    """Records one behind the other; `data` begins at `offset` of the log.

    Record n ends at `ends[n]`, counted from `data`'s beginning, and happened at `ts[n]` (microseconds, UTC).
    """

    segment: Segment
    offset: int
    data: bytes
    ends: Integers
    ts: Integers

    def records(self) -> Iterator[LogRecord]:
        """All of them, one by one."""
        return map(self.record, range(len(self.ends)))

    @abstractmethod
    def record(self, place: int) -> LogRecord:
        """The record at this place, counted from 0."""

    @cached_property
    @abstractmethod
    def claimed(self) -> list[int]:
        """The time each record says itself (microseconds, UTC)."""

    def spans(self, places: Sequence[int] | Integers) -> Spans:
        """Of the records at these places."""
        starts = self.starts[places]
        return Spans(starts, self.ends[places] - starts)

    @cached_property
    def starts(self) -> Integers:
        """Where each begins."""
        return np.concatenate((np.zeros(1, np.int64), self.ends[:-1]))

    @cached_property
    def borders(self) -> list[int]:
        """Where the first record begins, and where each ends."""
        return [0, *self.ends.tolist()]

    @cached_property
    def times(self) -> list[int]:
        """`ts`."""
        return self.ts.tolist()


@dataclass(frozen=True)
class PlainLines(Block):
    """JSON records that begin with a time that counts and a level, as Rustbucket writes them (`framing.lines`)."""

    def record(self, place: int) -> LogRecord:
        """The record at this place, counted from 0."""
        start, end = self.borders[place : place + 2]
        ts = self.times[place]
        return LogRecord(
            self.segment, self.offset + start, self.data[start:end], "json", ts, ts, clamped=False, likely=""
        )

    @cached_property
    def claimed(self) -> list[int]:
        """The time each says itself: its own."""
        return self.times


@dataclass(frozen=True)
class PlainText(Block):
    """Text records, with heads as Rustbucket writes them; `claims` and `clamped` are their columns of `LogRecord`."""

    claims: Integers
    clamped: Truths
    likely: str

    def record(self, place: int) -> LogRecord:
        """The record at this place, counted from 0."""
        start, end = self.borders[place : place + 2]
        times = self.claimed[place], self.times[place], bool(self.clamped[place])
        return LogRecord(self.segment, self.offset + start, self.data[start:end], "text", *times, self.likely)

    @cached_property
    def claimed(self) -> list[int]:
        """`claims`: the time each says itself (microseconds, UTC)."""
        return self.claims.tolist()


Piece = LogRecord | PlainLines | PlainText


class Part(NamedTuple):
    """The records `[start, end)`, by place, of a piece; a single record's place is 0."""

    piece: Piece
    start: int
    end: int

    def first(self, records: int, size: int) -> "Part":
        """At most so many, and no more once they have so many bytes."""
        if isinstance(self.piece, LogRecord):
            return self
        borders, end = self.piece.borders, min(self.end, self.start + records)
        return self._replace(end=bisect_left(borders, borders[self.start] + size, self.start + 1, end))

    @property
    def length(self) -> int:
        """How many they are."""
        return self.end - self.start

    @property
    def size(self) -> int:
        """Their bytes."""
        if isinstance(self.piece, LogRecord):
            return len(self.piece.data)
        return self.piece.borders[self.end] - self.piece.borders[self.start]

    def records(self) -> Iterator[LogRecord]:
        """They themselves."""
        if isinstance(self.piece, LogRecord):
            yield self.piece
        else:
            yield from map(self.piece.record, range(self.start, self.end))

    def claims(self) -> Sequence[int | None]:
        """The times they claim, in microseconds, UTC."""
        return [self.piece.claimed] if isinstance(self.piece, LogRecord) else self.piece.claimed[self.start : self.end]
