"""Which way each record of a log is read: at once, with the block it stands in, or one by one, with its neighbours.

At once go JSON lines so far behind all text that none of them can be an attacker's, and calm stretches of text
(`calm`). What they say becomes rows elsewhere.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rustbucket_pipeline.events.ahead import Ahead
from rustbucket_pipeline.events.calm import CalmText
from rustbucket_pipeline.events.graded import Graded, Lost, judged
from rustbucket_pipeline.events.pieces import LogRecord, Piece, PlainLines, PlainText
from rustbucket_pipeline.events.trust import REACH, Grader
from rustbucket_pipeline.events.witnesses import WITNESS_BYTES, Following, Witnesses


class Stretch(NamedTuple):
    """The records `[start, end)`, by place, of a block of text; nothing speaks against any."""

    calm: CalmText
    start: int
    end: int


class Lanes:
    """A log's records that follow each other without a gap, as they are read.

    Whoever takes a stretch must have let the grader note it before he asks for what follows.
    """

    def __init__(self, read: Iterable[Piece], grader: Grader, is_ours: Callable[[str], bool]) -> None:
        """Stand at the first; `is_ours` tells addresses of our own visits."""
        self._ahead = Ahead(read)
        self._grader = grader
        self._is_ours = is_ours
        self._calm: CalmText | None = None
        first = self._ahead.piece
        self._safe_from = _safely_behind(first.offset) if first is not None and grader.open else 0

    def __iter__(self) -> Iterator[PlainLines | Stretch | Iterator[Graded | Lost]]:
        """What is read at once, and what isn't, as far as that goes; all of it must be taken."""
        while self._ahead.piece is not None:
            at_once = self._at_once()
            if at_once is None:
                yield self._one_by_one()
            else:
                yield at_once
                self._pass(at_once.end - at_once.start if isinstance(at_once, Stretch) else len(at_once.ends))

    def _at_once(self) -> PlainLines | Stretch | None:
        """What can be, from here on."""
        piece, place = self._ahead.piece, self._ahead.place
        if isinstance(piece, PlainLines):
            safe = place == 0 and piece.offset >= self._safe_from and not self._grader.wary(piece.offset)
            return piece if safe else None
        if not isinstance(piece, PlainText):
            return None
        if self._calm is None:
            self._calm = CalmText(piece, Following(self._ahead.parts(len(piece.ends))), self._is_ours)
        end = self._calm.until(place, self._grader)
        return Stretch(self._calm, place, end) if end > place else None

    def _one_by_one(self) -> Iterator[Graded | Lost]:
        return judged(self._until_at_once(), self._grader)

    def _until_at_once(self) -> Iterator[tuple[LogRecord, Witnesses]]:
        while (record := self._ahead.record) is not None:
            yield record, Following(self._ahead.parts(self._ahead.place + 1), WITNESS_BYTES - len(record.data))
            self._pass(1)
            if self._at_once() is not None:
                return

    def _pass(self, records: int) -> None:
        piece, place = self._ahead.piece, self._ahead.place + records
        if isinstance(piece, PlainText):
            self._safe_from = _safely_behind(piece.offset + piece.borders[place])
        elif isinstance(piece, LogRecord) and piece.kind == "text":
            self._safe_from = _safely_behind(piece.offset + len(piece.data))
        self._ahead.go(records)
        if self._ahead.piece is not piece:
            self._calm = None


def _safely_behind(end: int) -> int:
    """Where neither attacker text that ends there can reach, nor a record that is asked about it."""
    return end + REACH + WITNESS_BYTES
