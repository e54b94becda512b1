"""A file's pieces, stored beside its reading: while one is hashed, packed and put, the next is read and cut.

So many at a time as there are threads, so that memory holds few pieces, and in order. Knows nothing of what storing is.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager

from rustbucket_pipeline.archive.cut import Piece
from rustbucket_pipeline.archive.ledger import NewSegment

AT_ONCE = 3
"""Pieces that are stored at the same time: two cores have work while one piece waits for the store."""

WORTH_A_THREAD = 256 * 1024
"""Bytes of a piece: a shorter one is stored sooner than it is handed over."""


class Beside:
    """What was stored so far, in order; `take` more pieces, `finish` when there are none."""

    def __init__(self, store: Callable[[Piece], NewSegment], thread: Executor) -> None:
        self._store = store
        self._thread = thread
        self._running = deque[Future[NewSegment]]()
        self._stored: list[NewSegment] = []

    def take(self, pieces: Iterable[Piece]) -> None:
        """Store them. Raises what storing an earlier one raised."""
        for piece in pieces:
            if len(piece.data) < WORTH_A_THREAD:
                self._wait(0)
                self._stored.append(self._store(piece))
            else:
                self._wait(AT_ONCE - 1)
                self._running.append(self._thread.submit(self._store, piece))

    def finish(self) -> list[NewSegment]:
        """Everything taken, once it is stored."""
        self._wait(0)
        return self._stored

    @contextmanager
    def ended(self) -> Generator["Beside"]:
        """However the reading ends, nothing is left running."""
        try:
            yield self
        finally:
            wait(self._running)

    def _wait(self, at_most: int) -> None:
        """Until no more than so many are running."""
        while len(self._running) > at_most:
            self._stored.append(self._running.popleft().result())
