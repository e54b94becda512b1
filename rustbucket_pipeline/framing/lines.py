"""The quick way for what nearly every log is: block after block of JSON lines with honest times, told all at once.

Whatever isn't exactly that is left to `split` and `times`, record by record; both ways give the same records.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rustbucket_pipeline.framing.times import Clock

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

Words = NDArray[np.uint64]

_TEMPLATE = b'{"timestamp":"0000-00-00T00:00:00.000000Z","level":"'
_HEAD_BYTES = 64
_MINUTE = slice(14, 30)
_SECONDS = [31, 32, 34, 35, 36, 37, 38, 39]
_WORTH = np.array([10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1], np.int64)


def _words(data: bytes, size: int) -> Words:
    """Eight bytes each, so that eight are compared at once; zeros at the end."""
    return np.frombuffer(data.ljust(size, b"\0"), np.uint64)


def _of_template(digit: int, other: int) -> Words:
    return _words(bytes(digit if byte == ord("0") else other for byte in _TEMPLATE), _HEAD_BYTES)


_SHAPE = _words(_TEMPLATE, _HEAD_BYTES)
_MASK = _of_template(0xF0, 0xFF)
"""A head has the template's shape if these bits are the same; 0x30 to 0x3F pass for digits."""

_SIX = _of_template(6, 0)
"""Added, 0x3A to 0x3F no longer pass."""

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
    block = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(block == ord("\n")) + 1
    lengths = np.diff(ends, prepend=0)
    if lengths.min() < _HEAD_BYTES or lengths.max() > longest:
        return None
    heads = _at(block, ends - lengths, _HEAD_BYTES)
    if not _are_heads(heads.view(np.uint64), _at(block, ends - lengths + len(_TEMPLATE), 8).view(np.uint64)):
        return None
    ts = _times(heads, minute_start)
    if ts is None or ts.min() < clock.vouched_from or ts.max() > clock.vouched_until:
        return None
    return JsonLines(ends, ts)


def _at(block: Bytes, starts: Integers, size: int) -> Bytes:
    """So many bytes from each start on, a row each."""
    return np.lib.stride_tricks.sliding_window_view(block, size)[starts]


def _are_heads(heads: Words, levels: Words) -> bool:
    if ((heads & _MASK) != _SHAPE).any() or (((heads + _SIX) & _MASK) != _SHAPE).any():
        return False
    known = np.zeros(levels.shape, np.bool_)
    for mask, level in _LEVELS:
        known |= (levels & mask) == level
    return bool(known.all())


def _times(heads: Bytes, minute_start: Callable[[bytes], int | None]) -> Integers | None:
    """Microseconds since the epoch; None where there is no such minute or second."""
    minutes = np.ascontiguousarray(heads[:, _MINUTE])
    words = minutes.view(np.uint64)
    begins = np.flatnonzero(np.concatenate(([True], (words[1:] != words[:-1]).any(axis=1))))
    starts = [minute_start(minutes[at].tobytes()) for at in begins]
    if any(start is None for start in starts):
        return None
    counts = np.diff(begins, append=len(minutes))
    seconds = (heads[:, _SECONDS].astype(np.int64) - ord("0")) @ _WORTH
    if seconds.max() >= 61_000_000:
        return None
    return np.repeat(np.array(starts, np.int64), counts) + seconds
