"""The values of JSON lines behind their heads, told for a block at once: where each stands, and what it is of."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# (pyarrow's stubs leave its arrays without parameters)

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rustbucket_pipeline.events.quick_keys import OTHER, TARGET, Between, between
from rustbucket_pipeline.events.quick_spans import Numbers, Spans, coded
from rustbucket_pipeline.events.quick_strings import Strings
from rustbucket_pipeline.framing.words import Integers, Truths

_MOST_KEYS: Final = 48
"""Keys of a block that are told apart, a bit each; sums of a line's must not overflow."""


class Values(NamedTuple):
    """What lines say behind their heads, value after value; the last one of a line is its target, if it is regular.

    Value n stands at `[start[n], end[n])`, and the value before it, or the head, ends with the quote at `before[n]`.
    It is of line `line[n]` and of `column[n]`; `first` and `last` are those of each line. From one value to the next
    stands `ways[way[n]]`, which says `told[way[n]]`. `cut` has that at 2n, and the value at 2n + 1, but for targets.
    """

    line: Integers
    first: Integers
    last: Integers
    before: Integers
    start: Integers
    end: Integers
    column: NDArray[np.int8]
    way: Numbers
    ways: Sequence[bytes]
    told: Sequence[Between]
    cut: "pa.BinaryArray"

    def regular(self) -> Truths:
        """Which lines are written in Rustbucket's order, with no key twice."""
        before = np.concatenate((self.column[:1], self.column[:-1]))
        before[self.first] = 0
        in_order = (self.column > before) | ((self.column == OTHER) & (before == OTHER))
        numbers = {key: at for at, key in enumerate(dict.fromkeys(key for one in self.told for key in one.others))}
        bits = [sum({1 << min(numbers[key], _MOST_KEYS - 1) for key in one.others}) for one in self.told]
        keys = np.array(bits)[self.way]
        once = np.add.reduceat(keys, self.first) == np.bitwise_or.reduceat(keys, self.first)
        return once & np.logical_and.reduceat(in_order, self.first) & (self.column[self.last] == TARGET)


def values_of(data: bytes, buffer: pa.Buffer, strings: Strings, tails: Integers) -> Values:
    """The values from string `tails[k]` on, of the k-th line; each has at least one, its last string."""
    counts = strings.first[1:] - tails
    behind = np.cumsum(counts)
    tail = np.repeat(tails - behind + counts, counts) + np.arange(behind[-1])
    end = strings.closing[tail]
    is_value = np.frombuffer(data, np.uint8)[end + 1] != ord(":")
    line = np.repeat(np.arange(len(tails)), counts)[is_value]
    start, end = strings.opening[tail[is_value]] + 1, end[is_value]
    first = np.searchsorted(line, np.arange(len(tails)))
    last = np.concatenate((first[1:], [len(line)])) - 1
    before = np.concatenate((end[:1], end[:-1]))
    before[first] = strings.closing[tails - 1]
    cut = Spans(buffer, before, start).cut()
    ways, way = coded(cut, np.arange(0, len(cut), 2))
    told = [between(one) for one in ways]
    column = np.array([one.column for one in told], np.int8)[way]
    return Values(line, first, last, before, start, end, column, way, ways, told, cut)
