"""The quick way for what nearly every log is: block after block of JSON lines with honest times, told all at once.

Whatever isn't exactly that is left to `split` and `times`, record by record; both ways give the same records. A head is
looked at closely only where more than its second differs from the one before it: in few lines.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rustbucket_pipeline.framing.times import Clock
from rustbucket_pipeline.framing.words import Integers, Shape, Words, changes, line_ends, number_of, rows_at, words_of

_HEAD_BYTES = 64
_SHAPE = Shape(b'{"timestamp":"0000-00-00T00:00:00.000000Z","level":"', _HEAD_BYTES)
_MINUTE, _MINUTE_BYTES = 14, 16
_TENS, _SECONDS = 3, 4
"""The words of a head that end with the ten seconds, and begin with the seconds."""

_SECONDS_SHAPE = Shape(b"0.000000", 8)
_FRACTION = words_of(b"\0\0\xff\xff\xff\xff\xff\xff", 8)
_TIME, _STEADY = (words_of(which, 8) for which in (b"\0\1\1\1", b"\1\1\1\1\0\1\1\1"))
"""The words that hold the time down to the ten seconds; all but the seconds, which differ in nearly every line."""

_LEVELS = b'INFO"', b'WARN"', b'TRACE"', b'DEBUG"', b'ERROR"'
_LEVEL_BYTES = 6


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Lines one behind the other: where each ends, counted from where the first begins, and its event time.

    Times: microseconds since the epoch, UTC.
    """

    ends: Integers
    ts: Integers


def json_lines(
    held: bytes, block: bytes, clock: Clock, minute_start: Callable[[bytes], int | None], longest: int
) -> JsonLines | None:
    """The lines that end in a block, if every one is a JSON record whose time counts; else None.

    `held` is what the first of them begins with, before the block.
    """
    if len(block) < _HEAD_BYTES or not len(ends := line_ends(block)):
        return None
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    lengths = ends - starts
    lengths[0] += len(held)
    if lengths.min() < _HEAD_BYTES or lengths.max() > longest:
        return None
    heads = rows_at(block, starts, _HEAD_BYTES)
    if held:
        heads[0] = words_of((held[:_HEAD_BYTES] + block[:_HEAD_BYTES])[:_HEAD_BYTES], _HEAD_BYTES)
    ts = _times(heads, minute_start)
    if ts is None or ts.min() < clock.vouched_from or ts.max() > clock.vouched_until:
        return None
    return JsonLines(ends + len(held), ts)


def _times(heads: Words, minute_start: Callable[[bytes], int | None]) -> Integers | None:
    """What lines claim whose heads are rows; None if not every one is a head that claims a time."""
    changed, seconds = changes(heads), heads[:, _SECONDS].copy()
    if not (_are_heads(heads[np.flatnonzero(changed & _STEADY != 0)].T) and _SECONDS_SHAPE.fits_all(seconds)):
        return None
    first = np.flatnonzero(changed & _TIME != 0)
    begun = _ten_seconds(heads[first], minute_start)
    if begun is None:
        return None
    until = np.concatenate((first[1:], [len(heads)]))
    return np.repeat(begun, until - first) + _of_ten(seconds)


def _are_heads(heads: Words) -> bool:
    levels = (heads[6] >> 32 | heads[7] << 32) & 0xFFFFFFFFFFFF
    known = (level.to_bytes(_LEVEL_BYTES, "little").startswith(_LEVELS) for level in set(levels.tolist()))
    return _SHAPE.fits_all(heads) and all(known)


def _ten_seconds(heads: Words, minute_start: Callable[[bytes], int | None]) -> Integers | None:
    """When those of each row began; None if one doesn't exist, or may be a leap second's."""
    tens = (heads[:, _TENS] >> 56) - ord("0")
    data = heads.tobytes()
    minutes = [minute_start(data[at : at + _MINUTE_BYTES]) for at in range(_MINUTE, len(data), _HEAD_BYTES)]
    if None in minutes or tens.max() > 5:
        return None
    return np.array(minutes, np.int64) + tens.view(np.int64) * 10_000_000


def _of_ten(seconds: Words) -> Integers:
    """Microseconds that words say like `0.000000`: the point makes way for the second."""
    digits = seconds & _FRACTION
    digits |= (seconds & 0xFF) << 8
    return number_of(digits)
