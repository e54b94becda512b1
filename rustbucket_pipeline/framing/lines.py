"""The quick way for what nearly every log is: block after block of JSON lines with honest times, told all at once.

Whatever isn't exactly that is left to `split` and `times`, record by record; both ways give the same records.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rustbucket_pipeline.framing.times import Clock

Integers = NDArray[np.int64]

_TEMPLATE = np.frombuffer(b'{"timestamp":"0000-00-00T00:00:00.000000Z","level":"', np.uint8)
_ABOVE = np.where(ord("0") == _TEMPLATE, 9, 0).astype(np.uint8)
"""How far each byte of a head may be above the template's: digits up to 9, all else not at all."""

_MINUTE = slice(14, 30)
_SECONDS = [31, 32, 34, 35, 36, 37, 38, 39]
_WORTH = np.array([10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1], np.int64)
_LEVEL = slice(len(_TEMPLATE), len(_TEMPLATE) + 6)
_HEAD_BYTES = _LEVEL.stop
_LEVELS = tuple(np.frombuffer(level, np.uint8) for level in (b'INFO"', b'WARN"', b'TRACE"', b'DEBUG"', b'ERROR"'))


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
    ends = np.flatnonzero(block == 0x0A) + 1
    lengths = np.diff(ends, prepend=0)
    if lengths.min() < _HEAD_BYTES or lengths.max() > longest:
        return None
    heads = np.lib.stride_tricks.sliding_window_view(block, _HEAD_BYTES)[ends - lengths]
    if not _are_heads(heads):
        return None
    ts = _times(heads, minute_start)
    if ts is None or ts.min() < clock.vouched_from or ts.max() > clock.vouched_until:
        return None
    return JsonLines(ends, ts)


def _are_heads(heads: NDArray[np.uint8]) -> bool:
    if ((heads[:, : len(_TEMPLATE)] - _TEMPLATE) > _ABOVE).any():  # unsigned: below the template is far above it
        return False
    known = np.zeros(len(heads), np.bool_)
    for level in _LEVELS:
        known |= (heads[:, _LEVEL.start : _LEVEL.start + len(level)] == level).all(axis=1)
    return bool(known.all())


def _times(heads: NDArray[np.uint8], minute_start: Callable[[bytes], int | None]) -> Integers | None:
    """Microseconds since the epoch; None where there is no such minute or second."""
    minutes = np.ascontiguousarray(heads[:, _MINUTE]).view("S16").ravel()
    begins = np.flatnonzero(np.concatenate(([True], minutes[1:] != minutes[:-1])))
    starts = [minute_start(minutes[at]) for at in begins]
    if any(start is None for start in starts):
        return None
    counts = np.diff(begins, append=len(minutes))
    seconds = (heads[:, _SECONDS].astype(np.int64) - ord("0")) @ _WORTH
    if seconds.max() >= 61_000_000:
        return None
    return np.repeat(np.array(starts, np.int64), counts) + seconds
