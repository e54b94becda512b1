"""Which hashes were there before: millions of them in little memory. Knows nothing of what they stand for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RECENT = 200_000
"""Hashes held as a set, at some 100 bytes each; of older ones the first 8 bytes are kept, in order."""


class Seen:
    """SHA-256 hashes, added many at a time. Older ones are known by 64 of their bits."""

    def __init__(self) -> None:
        """None yet."""
        self._recent: set[bytes] = set()
        self._older = np.empty(0, np.uint64)

    def add(self, hashes: Sequence[bytes]) -> list[int]:
        """Add them; the places in `hashes` of those that were there before."""
        new = set(hashes)
        repeated: list[int] = []
        if len(new) < len(hashes) or not self._recent.isdisjoint(new) or (len(self._older) and self._old(hashes).any()):
            repeated = self._repeated(hashes)
        self._recent |= new
        if len(self._recent) > RECENT:
            self._older = np.sort(np.concatenate((self._older, _keys(list(self._recent)))), kind="stable")
            self._recent = set()
        return repeated

    def _repeated(self, hashes: Sequence[bytes]) -> list[int]:
        old = self._old(hashes) if len(self._older) else np.zeros(len(hashes), np.bool_)
        known = set[bytes]()
        repeated: list[int] = []
        for at, one in enumerate(hashes):
            if old[at] or one in known or one in self._recent:
                repeated.append(at)
            known.add(one)
        return repeated

    def _old(self, hashes: Sequence[bytes]) -> NDArray[np.bool_]:
        wanted = _keys(hashes)
        places = np.searchsorted(self._older, wanted).clip(max=len(self._older) - 1)
        return self._older[places] == wanted


def _keys(hashes: Sequence[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(hashes), np.uint64)[:: len(hashes[0]) // 8]
