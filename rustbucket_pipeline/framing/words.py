"""A block's lines and their heads, eight bytes at a time: where lines end, which have a shape, what their digits say.

Numbers only. Which shape is whose, and what a time is worth, is decided by those who ask.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

Truths = NDArray[np.bool_]

Words = NDArray[np.uint64]
"""Eight bytes each, the first one lowest, so that eight are compared at once. Heads: a row for each word of theirs."""


def words_of(data: bytes, size: int) -> Words:
    """The bytes, and zeros at the end."""
    return np.frombuffer(data.ljust(size, b"\0"), "<u8")


class Shape:
    """A template in which every `0` stands for any digit, and the bytes behind it for anything."""

    def __init__(self, template: bytes, size: int) -> None:
        """Of heads of that size in bytes, a multiple of 8."""
        self._shape = words_of(template, size)[:, None]
        # It is there if these bits are the same; 0x30 to 0x3F pass for digits, and 0x3A to 0x3F, with 6 added, don't.
        self._mask = _of_template(template, size, 0xF0, 0xFF)
        self._six = _of_template(template, size, 6, 0)

    def fits(self, heads: Words) -> Truths:
        """Which of the heads have it."""
        odd = ((heads ^ self._shape) | ((heads + self._six) ^ self._shape)) & self._mask
        return np.all(odd == 0, axis=0)


def _of_template(template: bytes, size: int, digit: int, other: int) -> Words:
    return words_of(bytes(digit if byte == ord("0") else other for byte in template), size)[:, None]


def line_ends(data: bytes) -> Integers:
    """Behind each newline; looked for in the words that hold one."""
    newlines = np.zeros(-(-len(data) // 8) * 8, np.bool_)
    np.equal(np.frombuffer(data, np.uint8), ord("\n"), out=newlines[: len(data)])
    words = newlines.view(np.uint64)
    holding = np.flatnonzero(words != 0)
    found = np.flatnonzero(words[holding].view(np.bool_))
    return holding[found // 8] * 8 + found % 8 + 1


def heads_at(data: bytes, starts: Integers, size: int) -> Words:
    """The first `size` bytes of each line, which must be as long as that."""
    everywhere = np.ndarray(len(data) - size + 1, f"V{size}", data, strides=1)
    return everywhere[starts].view("<u8").reshape(len(starts), -1).T.copy()


def number_of(digits: Words) -> Integers:
    """What eight digits say: added up in pairs, then fours, then all."""
    ones = digits & 0x0F0F0F0F0F0F0F0F
    pairs = (ones * 10 + (ones >> 8)) & 0x00FF00FF00FF00FF
    fours = (pairs * 100 + (pairs >> 16)) & 0x0000FFFF0000FFFF
    return ((fours * 10_000 + (fours >> 32)) & 0xFFFFFFFF).astype(np.int64)
