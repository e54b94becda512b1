"""A log's pieces, read one record after the other, with those behind in sight. Holds only what was looked at."""

from collections import deque
from collections.abc import Iterable, Iterator

from rustbucket_pipeline.events.pieces import LogRecord, Piece


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

    def records(self, place: int | None = None) -> Iterator[LogRecord]:
        """The records from here on, or from a place in the piece at hand; nothing is passed by asking."""
        number, place = self._passed, self.place if place is None else place
        while (piece := self._piece(number)) is not None:
            if isinstance(piece, LogRecord):
                if place == 0:
                    yield piece
            else:
                yield from map(piece.record, range(place, len(piece.ends)))
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
