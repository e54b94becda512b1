"""Where the strings of JSON lines begin and end, told for a block of lines at once. Keys and values are alike here."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rustbucket_pipeline.framing.words import Integers, Truths

_Bytes = NDArray[np.uint8]

_PRINTABLE_FROM: Final = 0x20
_UNKNOWN, _SIMPLE, _POINT = range(3)
_END: Final = b'"}\n'
_HALVES: Final = 0xD800 >> 11


def _by_byte(known: bytes, values: list[int], otherwise: int) -> NDArray[np.int64]:
    table = np.full(256, otherwise, np.int64)
    table[[*known]] = values
    return table


_ESCAPES: Final = _by_byte(b'"\\bfnrtu', [_SIMPLE] * 7 + [_POINT], _UNKNOWN)
_DIGITS: Final = _by_byte(b"0123456789abcdefABCDEF", [*range(16), *range(10, 16)], -1)
_WEIGHTS: Final = np.array([0x1000, 0x100, 0x10, 1])


class Strings(NamedTuple):
    """The strings of lines: string n stands between the quotes at `opening[n]` and `closing[n]`.

    `lines` are the lines' places in their block; the k-th has the strings from `first[k]` up to `first[k + 1]`.
    """

    lines: Integers
    opening: Integers
    closing: Integers
    first: Integers


def strings_of(data: bytes, ends: Integers, wanted: Truths, least: int) -> Strings:
    """Of the wanted lines that have at least so many, end with one and `}`, and hold nothing that is unfit for one.

    Every line has a string and ends with a newline. What stands around the strings is left to be looked at.
    """
    each, good = np.frombuffer(data, np.uint8), wanted.copy()
    quotes = each == ord('"')
    if b"\\" in data:
        escaped = _escaped(each)
        quotes[escaped] = False
        good[_lines_at(escaped[~_can_be_stored(each, escaped)], ends)] = False
    if np.count_nonzero(each < _PRINTABLE_FROM) > len(ends):
        controls = _lines_at(np.flatnonzero(each < _PRINTABLE_FROM), ends)
        good &= np.bincount(controls, minlength=len(ends)) == 1
    at = np.flatnonzero(quotes)
    behind = np.searchsorted(at, ends)
    counts, last = np.diff(behind, prepend=0), at[behind - 1]
    good &= (counts % 2 == 0) & (counts >= 2 * least) & (last + len(_END) == ends) & (each[last + 1] == _END[1])
    if not good.all():
        at, counts = at[np.repeat(good, counts)], counts[good]
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts // 2)))
    return Strings(np.flatnonzero(good), at[::2], at[1::2], first)


def _escaped(each: _Bytes) -> Integers:
    """Where bytes stand that a backslash escapes: of backslashes in a row, every other one does."""
    at = np.flatnonzero(each == ord("\\"))
    begin = np.maximum.accumulate(np.where(np.diff(at, prepend=-2) > 1, at, 0))
    return at[(at - begin) % 2 == 0] + 1


def _can_be_stored(each: _Bytes, escaped: Integers) -> Truths:
    """Which escapes JSON knows and PostgreSQL can store; half of a surrogate pair is none of them."""
    kinds = _ESCAPES[each[escaped]]
    good = kinds == _SIMPLE
    points = np.flatnonzero(kinds == _POINT)
    digits = _DIGITS[each.take(escaped[points, None] + np.arange(1, 5), mode="clip")]
    value = digits @ _WEIGHTS
    good[points] = (digits >= 0).all(axis=1) & (value > 0) & (value >> 11 != _HALVES)
    return good


def _lines_at(places: Integers, ends: Integers) -> Integers:
    return np.searchsorted(ends, places, side="right")
