"""A column of a block of records, told in any order: its values, and which of them is whose.

Only values that are written take room. Knows nothing of what they say.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rustbucket_pipeline.framing.words import Integers

Numbers = NDArray[np.int32]
"""Which value of a pool is a record's, -1 where it has none."""


class Pool:
    """Texts in UTF-8, of some of so many records."""

    def __init__(self, records: int) -> None:
        """Nobody's yet."""
        self.values: list[bytes] = []
        self._numbers: Numbers = np.full(records, -1, np.int32)

    def put(self, places: Integers, values: Sequence[bytes]) -> None:
        """The values of the records at these places."""
        start = len(self.values)
        self._numbers[places] = np.arange(start, start + len(values))
        self.values += values

    def between(self, start: int, end: int) -> list[bytes | None]:
        """Those of a stretch of places."""
        values = self.values
        return [None if number < 0 else values[number] for number in self._numbers[start:end].tolist()]

    def numbers(self, places: Integers) -> Numbers:
        """Which values are theirs."""
        return self._numbers[places]
