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
        return np.all(self._odd(heads) == 0, axis=0)

    def fits_all(self, heads: Words) -> bool:
        """Whether every head has it."""
        return not self._odd(heads).any()

    def _odd(self, heads: Words) -> Words:
        odd = heads ^ self._shape
        more = odd + self._six
        more |= odd
        more &= self._mask
        return more


def _of_template(template: bytes, size: int, digit: int, other: int) -> Words:
    return words_of(bytes(digit if byte == ord("0") else other for byte in template), size)[:, None]


def line_ends(data: bytes) -> Integers:
    """Behind each newline; looked for in the words that hold one, nearly always just one."""
    newlines = np.empty(-(-len(data) // 8) * 8, np.bool_)
    newlines[len(data) :] = False
    np.equal(np.frombuffer(data, np.uint8), ord("\n"), out=newlines[: len(data)])
    words = newlines.view(np.uint64)
    ends = np.flatnonzero(words != 0)
    marks = words[ends]
    below = marks - 1
    if (marks & below).any():
        which = np.flatnonzero(marks.view(np.bool_))
        ends, within = ends[which >> 3], which & 7
    else:
        within = np.bitwise_count(below) >> 3
    ends <<= 3
    ends += within
    ends += 1
    return ends


def rows_at(data: bytes, starts: Integers, size: int) -> Words:
    """The first `size` bytes of each line, which must be as long as that: a row for each."""
    everywhere = np.ndarray(len(data) - size + 1, f"V{size}", data, strides=1)
    return everywhere[starts].view("<u8").reshape(len(starts), -1)


def heads_at(data: bytes, starts: Integers, size: int) -> Words:
    """The same as heads: a row for each word."""
    return rows_at(data, starts, size).T.copy()


def changes(rows: Words) -> Words:
    """Which of each row's eight words differ from those of the row before, a byte for each; of the first row, all."""
    changed = np.ones(rows.shape, np.bool_)
    np.not_equal(rows[1:], rows[:-1], out=changed[1:])
    return changed.view(np.uint64)[:, 0]


def number_of(digits: Words) -> Integers:
    """What eight digits say: added up in pairs, then fours, then all."""
    number = digits & 0x0F0F0F0F0F0F0F0F
    number *= (10 << 8) + 1
    number >>= 8
    number &= 0x00FF00FF00FF00FF
    number *= (100 << 16) + 1
    number >>= 16
    number &= 0x0000FFFF0000FFFF
    number *= (10_000 << 32) + 1
    number >>= 32
    return number.view(np.int64)
