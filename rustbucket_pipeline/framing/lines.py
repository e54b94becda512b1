"""The quick way for what nearly every log is: block after block of JSON lines with honest times, told all at once.

Whatever isn't exactly that is left to `split` and `times`, record by record; both ways give the same records.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rustbucket_pipeline.framing.times import Clock

Integers = NDArray[np.int64]

Words = NDArray[np.uint64]
"""Eight bytes each, the first one lowest, so that eight are compared at once. Heads: a row for each word of theirs."""

_TEMPLATE = b'{"timestamp":"0000-00-00T00:00:00.000000Z","level":"'
_HEAD_BYTES = 64
_MINUTE, _MINUTE_BYTES = 14, 16


def _words(data: bytes, size: int) -> Words:
    """The bytes, and zeros at the end."""
    return np.frombuffer(data.ljust(size, b"\0"), "<u8")


def _of_template(digit: int, other: int) -> Words:
    return _words(bytes(digit if byte == ord("0") else other for byte in _TEMPLATE), _HEAD_BYTES)[:, None]


_SHAPE = _words(_TEMPLATE, _HEAD_BYTES)[:, None]
_MASK = _of_template(0xF0, 0xFF)
"""A head has the template's shape if these bits are the same; 0x30 to 0x3F pass for digits."""

_SIX = _of_template(6, 0)
"""Added, 0x3A to 0x3F no longer pass."""

_SAME_MINUTE = _words(bytes(_MINUTE) + b"\xff" * _MINUTE_BYTES, _HEAD_BYTES)[:, None]

_LEVELS = [
    (_words(b"\xff" * len(level), 8), _words(level, 8))
    for level in (b'INFO"', b'WARN"', b'TRACE"', b'DEBUG"', b'ERROR"')
]


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Lines one behind the other: where each ends in their block, and its event time (microseconds, UTC)."""

    ends: Integers
    ts: Integers


def json_lines(
    data: bytes, clock: Clock, minute_start: Callable[[bytes], int | None], longest: int
) -> JsonLines | None:
    """The lines of a block that ends with a newline, if every one is a JSON record whose time counts; else None."""
    ends = _line_ends(data)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    lengths = ends - starts
    if lengths.min() < _HEAD_BYTES or lengths.max() > longest:
        return None
    heads = _heads(data, starts)
    if not _are_heads(heads):
        return None
    first = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), _minute_changes(heads))))
    minutes = [minute_start(data[at : at + _MINUTE_BYTES]) for at in (starts[first] + _MINUTE).tolist()]
    if None in minutes:
        return None
    seconds = _seconds(heads)
    if seconds.max() >= 61_000_000:
        return None
    ts = np.repeat(np.array(minutes, np.int64), np.diff(first, append=len(starts))) + seconds
    if ts.min() < clock.vouched_from or ts.max() > clock.vouched_until:
        return None
    return JsonLines(ends, ts)


def _line_ends(data: bytes) -> Integers:
    """Behind each newline; looked for in the words that hold one."""
    newlines = np.empty(-(-len(data) // 8) * 8, np.bool_)
    newlines[len(data) :] = False
    np.equal(np.frombuffer(data, np.uint8), ord("\n"), out=newlines[: len(data)])
    words = newlines.view(np.uint64)
    holding = np.flatnonzero(words != 0)
    found = np.flatnonzero(words[holding].view(np.bool_))
    return holding[found // 8] * 8 + found % 8 + 1


def _heads(data: bytes, starts: Integers) -> Words:
    everywhere = np.ndarray(len(data) - _HEAD_BYTES + 1, f"V{_HEAD_BYTES}", data, strides=1)
    return everywhere[starts].view("<u8").reshape(len(starts), -1).T.copy()


def _are_heads(heads: Words) -> bool:
    if (((heads ^ _SHAPE) | ((heads + _SIX) ^ _SHAPE)) & _MASK).any():
        return False
    levels = heads[6] >> 32 | heads[7] << 32
    known = np.zeros(levels.shape, np.bool_)
    for mask, level in _LEVELS:
        known |= (levels & mask) == level
    return bool(known.all())


def _minute_changes(heads: Words) -> NDArray[np.bool_]:
    """Whether each but the first is of another minute than the one before it."""
    changed = (heads[:, 1:] ^ heads[:, :-1]) & _SAME_MINUTE
    return changed[1] | changed[2] | changed[3] != 0


def _seconds(heads: Words) -> Integers:
    """Microseconds since the minute's start: eight digits, added up in pairs, then fours, then all."""
    digits = (heads[3] >> 56 | (heads[4] & 0xFF) << 8 | heads[4] & ~np.uint64(0xFFFF)) & 0x0F0F0F0F0F0F0F0F
    pairs = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FF
    fours = (pairs * 100 + (pairs >> 16)) & 0x0000FFFF0000FFFF
    return ((fours * 10_000 + (fours >> 32)) & 0xFFFFFFFF).astype(np.int64)
