"""The quick way for what nearly every log is: block after block of JSON lines with honest times, told all at once.

Whatever isn't exactly that is left to `split` and `times`, record by record; both ways give the same records.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rustbucket_pipeline.framing.times import Clock
from rustbucket_pipeline.framing.words import Integers, Shape, Truths, Words, heads_at, line_ends, number_of, words_of

_HEAD_BYTES = 64
_SHAPE = Shape(b'{"timestamp":"0000-00-00T00:00:00.000000Z","level":"', _HEAD_BYTES)
_MINUTE, _MINUTE_BYTES = 14, 16
_SAME_MINUTE = words_of(bytes(_MINUTE) + b"\xff" * _MINUTE_BYTES, _HEAD_BYTES)[:, None]

_LEVELS = [
    (words_of(b"\xff" * len(level), 8), words_of(level, 8))
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
    ends = line_ends(data)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    lengths = ends - starts
    if lengths.min() < _HEAD_BYTES or lengths.max() > longest:
        return None
    heads = heads_at(data, starts, _HEAD_BYTES)
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


def _are_heads(heads: Words) -> bool:
    if not _SHAPE.fits(heads).all():
        return False
    levels = heads[6] >> 32 | heads[7] << 32
    known = np.zeros(levels.shape, np.bool_)
    for mask, level in _LEVELS:
        known |= (levels & mask) == level
    return bool(known.all())


def _minute_changes(heads: Words) -> Truths:
    """Whether each but the first is of another minute than the one before it."""
    changed = (heads[:, 1:] ^ heads[:, :-1]) & _SAME_MINUTE
    return changed[1] | changed[2] | changed[3] != 0


def _seconds(heads: Words) -> Integers:
    """Microseconds since the minute's start."""
    return number_of(heads[3] >> 56 | (heads[4] & 0xFF) << 8 | heads[4] & ~np.uint64(0xFFFF))
