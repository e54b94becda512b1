"""The records behind one, which are asked whether it can be true: an attacker's lines are few, most are the honeypot's.

Gathered one by one where records come so; where they stand in blocks, looked at only if somebody asks. What they are
asked, and what follows from it, is `trust`'s business.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cached_property

from rustbucket_pipeline.events.pieces import LogRecord, Part

WITNESSES = 256
"""Records that follow and are asked; more than one read of a decoy can forge (4 KiB, 90 bytes a head)."""

WITNESS_BYTES = 1 << 20
"""No more follow once they are so long, with the record itself."""


class Witnesses(ABC):
    """The records that follow one, as far as they are asked."""

    @abstractmethod
    def records(self) -> Iterable[LogRecord]:
        """All of them, in order."""

    @abstractmethod
    def claims(self) -> Container[int | None]:
        """The times they claim, in microseconds, UTC."""

    @abstractmethod
    def mostly_before(self, time: int) -> bool:
        """Whether most of them claim an earlier time."""


class Gathered(Witnesses):
    """The records of a log as they come: the first is judged by the others."""

    def __init__(self) -> None:
        """None yet."""
        self._records = deque[LogRecord]()
        self._claims: dict[int, int] = {}
        self._size = 0

    @property
    def first(self) -> LogRecord | None:
        """The one to be judged next."""
        return self._records[0] if self._records else None

    @property
    def enough(self) -> bool:
        """Whether no more are needed, or no more can be held."""
        return len(self._records) > WITNESSES or self._size >= WITNESS_BYTES

    def records(self) -> Iterable[LogRecord]:
        """All that are there."""
        return self._records

    def claims(self) -> Container[int | None]:
        """The times they claim."""
        return self._claims

    def add(self, record: LogRecord) -> None:
        """One more that follows."""
        self._records.append(record)
        self._size += len(record.data)
        if record.claimed is not None:
            self._claims[record.claimed] = self._claims.get(record.claimed, 0) + 1

    def take(self) -> LogRecord:
        """The first of them, to be judged by the others."""
        record = self._records.popleft()
        self._size -= len(record.data)
        if record.claimed is not None:
            self._claims[record.claimed] -= 1
            if not self._claims[record.claimed]:
                del self._claims[record.claimed]
        return record

    def mostly_before(self, time: int) -> bool:
        """Whether most of them claim an earlier time."""
        earlier = sum([count for claim, count in self._claims.items() if claim < time])
        return 2 * earlier > sum(self._claims.values())


class Following(Witnesses):
    """The records of these parts of a log, up to `WITNESSES` and so many bytes; nothing is read before it is asked."""

    def __init__(self, parts: Iterator[Part], size: int = WITNESS_BYTES) -> None:
        """They begin where the first part does."""
        self._source = parts
        self._most = size

    @cached_property
    def size(self) -> int:
        """All their bytes."""
        return sum(part.size for part in self._parts)

    def records(self) -> Iterator[LogRecord]:
        """All of them, made as they are taken."""
        for part in self._parts:
            yield from part.records()

    def claims(self) -> list[int | None]:
        """The times they claim; None for those that claim none."""
        return [claim for part in self._parts for claim in part.claims()]

    def mostly_before(self, time: int) -> bool:
        """Whether most of them claim an earlier time."""
        claims = [claim for claim in self.claims() if claim is not None]
        return 2 * sum([claim < time for claim in claims]) > len(claims)

    @cached_property
    def _parts(self) -> list[Part]:
        parts: list[Part] = []
        records, size = WITNESSES, self._most
        while records > 0 and size > 0 and (part := next(self._source, None)) is not None:
            parts.append(part.first(records, size))
            records -= parts[-1].length
            size -= parts[-1].size
        return parts


def with_witnesses(records: Iterable[LogRecord], wary: Callable[[int], bool]) -> Iterator[tuple[LogRecord, Witnesses]]:
    """Each record with those that follow it: none where nothing is forged.

    `wary` says whether the record that begins at an offset may be, as soon as those before it were judged.
    """
    source, later = iter(records), Gathered()
    for record in source:
        if not wary(record.offset):
            yield record, later
            continue
        later.add(record)
        while (first := later.first) is not None:
            if not later.enough and wary(first.offset):
                for following in source:
                    later.add(following)
                    if later.enough:
                        break
            yield later.take(), later
