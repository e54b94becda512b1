"""A log's pieces, read one record after the other, with those behind in sight. Holds only what was looked at."""

from collections import deque
from collections.abc import Iterable, Iterator

from rustbucket_pipeline.events.pieces import LogRecord, Part, Piece


class Ahead:
    """Where a reader stands: at record `place` of `piece`, None at the end."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        """Stand at the first record."""
        self._source = iter(pieces)
        self._pieces = deque[Piece]()
        self._passed = 0
        self.place = 0

    @property
    def piece(self) -> Piece | None:
        """The piece at hand."""
        return self._piece(self._passed)

    @property
    def offset(self) -> int:
        """Where the piece begins in the log."""
        return 0 if (piece := self.piece) is None else piece.offset

    @property
    def record(self) -> LogRecord | None:
        """The record at hand."""
        piece = self.piece
        return piece if piece is None or isinstance(piece, LogRecord) else piece.record(self.place)

    def parts(self, place: int) -> Iterator[Part]:
        """The log from a place in the piece at hand on; nothing is passed by asking."""
        number = self._passed
        while (piece := self._piece(number)) is not None:
            end = 1 if isinstance(piece, LogRecord) else len(piece.ends)
            if place < end:
                yield Part(piece, place, end)
            number, place = number + 1, 0

    def go(self, records: int) -> None:
        """Pass so many records of the piece at hand."""
        piece = self.piece
        self.place += records
        if isinstance(piece, LogRecord) or (piece is not None and self.place >= len(piece.ends)):
            self._pieces.popleft()
            self._passed += 1
            self.place = 0

    def _piece(self, number: int) -> Piece | None:
        while number - self._passed >= len(self._pieces):
            piece = next(self._source, None)
            if piece is None:
                return None
            self._pieces.append(piece)
        return self._pieces[number - self._passed]
