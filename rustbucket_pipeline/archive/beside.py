"""A file's pieces, stored beside its reading: while one is hashed, packed and put, the next is read and cut.

One at a time, so that memory holds two pieces at most, and in order. Knows nothing of what storing is.
"""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from contextlib import contextmanager

from rustbucket_pipeline.archive.cut import Piece
from rustbucket_pipeline.archive.ledger import NewSegment

WORTH_A_THREAD = 256 * 1024
"""Bytes of a piece: a shorter one is stored sooner than it is handed over."""


class Beside:
    """What was stored so far, in order; `take` more pieces, `finish` when there are none."""

    def __init__(self, store: Callable[[Piece], NewSegment], thread: Executor) -> None:
        self._store = store
        self._thread = thread
        self._running: Future[NewSegment] | None = None
        self._stored: list[NewSegment] = []

    def take(self, pieces: Iterable[Piece]) -> None:
        """Store them. Raises what storing an earlier one raised."""
        for piece in pieces:
            self.finish()
            if len(piece.data) < WORTH_A_THREAD:
                self._stored.append(self._store(piece))
            else:
                self._running = self._thread.submit(self._store, piece)

    def finish(self) -> list[NewSegment]:
        """Everything taken, once it is stored."""
        running, self._running = self._running, None
        if running is not None:
            self._stored.append(running.result())
        return self._stored

    @contextmanager
    def ended(self) -> Generator["Beside"]:
        """However the reading ends, nothing is left running."""
        try:
            yield self
        finally:
            if self._running is not None:
                self._running.exception()
