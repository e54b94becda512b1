"""Many shares read one after the other, and in a second process, too, where there is enough of them."""

import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from rustbucket_pipeline.events.beside import Beside, beside
from rustbucket_pipeline.events.read import Objects
from rustbucket_pipeline.events.reading import Came, Source, read_share

WORTH_A_PROCESS = 32 * 1024 * 1024
"""Bytes of log: a second process takes a second to begin."""

_LENT_BYTES = 64 * 1024 * 1024
"""Bytes of log of a share that the other process reads: its objects are sent there whole."""

_ASKED_AHEAD, _FEW_LEFT = 2, 4
"""Shares that the other process has to read, and one of them only where so few are left: nobody waits long for it."""

REFUSED_HELD = 20_000
"""Entries held until they can be written: one takes up to a kilobyte."""


class Readers:
    """Shares that are to be read, also by the `other` process if there is one; `held` as `REFUSED_HELD`."""

    def __init__(
        self, sources: Sequence[Source], objects: Objects, other: Beside | None = None, held: int = REFUSED_HELD
    ) -> None:
        """Nothing is read yet."""
        self._held = held
        self._left = deque(enumerate(sources))
        self._objects, self._other = objects, other
        self._came: dict[int, Came] = {}

    @property
    def left(self) -> bool:
        """Whether there is more to read."""
        return bool(self._left)

    def rows(self) -> Iterator[bytes]:
        """The rows of all shares, or of as many whose entries can be held; in no order of shares."""
        while self._left and sum(len(came.refused) for came in self._came.values()) < self._held:
            self._lend()
            number, source = self._left.popleft()
            for rows in read_share(source, self._objects, self._done(number)):
                yield rows
                if self._other is not None:
                    yield from self._other.ready()
                    self._lend()
        if self._other is not None:
            yield from self._other.rest()

    def take(self) -> dict[int, Came]:
        """What the shares came to that were read since it was asked before, by their place among all."""
        came, self._came = self._came, {}
        return came

    def _done(self, number: int) -> "partial[None]":
        return partial(self._came.__setitem__, number)

    def _lend(self) -> None:
        """Let the other process read the last ones."""
        while self._other is not None and self._left:
            ahead = _ASKED_AHEAD if len(self._left) > _FEW_LEFT else 1
            number, source = self._left[-1]
            if self._other.asked >= ahead or source.size > _LENT_BYTES:
                return
            self._left.pop()
            objects = {one.object_key: self._objects.get(one.object_key) for one in source.segments}
            self._other.ask(source, objects, self._done(number))


@contextmanager
def readers(sources: Sequence[Source], objects: Objects) -> Generator[Readers]:
    """Shares to be read, by two processes if that is worth it; the other one ends with this."""
    size = sum(source.size for source in sources)
    if size < WORTH_A_PROCESS or len(sources) < 2 or (os.cpu_count() or 1) < 2:
        yield Readers(sources, objects)
        return
    with beside() as other:
        yield Readers(sources, objects, other)
