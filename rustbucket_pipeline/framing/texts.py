"""The same for text: the records of a block whose heads are written as Rustbucket writes them, told all at once.

Whatever may be a head and isn't written so ends what is told; the rest is left to `split` and `times`. Times are judged
by the rules of `times`, one by one only where a claim is odd.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rustbucket_pipeline.framing.split import LONGEST_HEAD, RawRecord, may_begin
from rustbucket_pipeline.framing.times import TOLERANCE, WITNESSES, Clock, counts, needs_witnesses
from rustbucket_pipeline.framing.words import Integers, Shape, Truths, Words, heads_at, line_ends, number_of, words_of

HEAD_BYTES = 34
"""Of `2026-03-02T00:00:00.000000Z  INFO `, levels right-aligned: what stands before a record's target."""

LEVEL = slice(28, 33)
"""Where the level stands in it."""

_JUDGED_BYTES, _TIME_BYTES = 40, 32
"""In whole words: what is looked at to know a head, and to read its time. A last record may end with its head."""

_SHAPE = Shape(b"0000-00-00T00:00:00.000000Z ", _JUDGED_BYTES)
_LEVELS = [words_of(level, 8) for level in (b" INFO ", b" WARN ", b"ERROR ", b"DEBUG ", b"TRACE ")]
_BEGINS_A_HEAD = np.isin(np.arange(256), [*b"0123456789{\0\xef\xff\xfe"])
"""By its first byte, whether a line may be a head."""

_MINUTE_BYTES = 16


@dataclass(frozen=True, slots=True)
class TextRecords:
    """Text records one behind the other: where each ends, what it claims and its event time (microseconds, UTC).

    Ends are counted from where the first begins; `clamped`: the claim didn't count. `more`: something else follows, and
    perhaps text again behind it.
    """

    ends: Integers
    claimed: Integers
    ts: Integers
    clamped: Truths
    more: bool


def text_records(
    data: bytes, clock: Clock, minute_start: Callable[[bytes], int | None], longest: int, *, final: bool
) -> TextRecords | None:
    """The records that bytes begin with and that surely end in them; None when they don't begin with one.

    `final`: nothing follows the bytes, so that no time waits for more witnesses.
    """
    if not data[:1].isdigit():
        return None
    starts, odd = _heads_of(data, final=final)
    if len(starts) < 2 or starts[0] != 0:
        return None
    claimed = _claims(data, starts, minute_start)
    too_long = np.flatnonzero(np.diff(starts) > longest)
    told = min(len(starts) - 1, len(claimed), *too_long.tolist())
    odd = odd or told < len(starts) - 1
    if not told:
        return None
    ts, clamped = _judged(claimed, told, clock, final=final and not odd)
    return (
        TextRecords(starts[1 : len(ts) + 1], claimed[: len(ts)], ts, clamped, odd and len(ts) == told)
        if len(ts)
        else None
    )


def _heads_of(data: bytes, *, final: bool) -> tuple[Integers, bool]:
    """Where heads stand, up to the first line that may be one and isn't written as Rustbucket does; if there is one."""
    starts = np.concatenate((np.zeros(1, np.int64), line_ends(data)))
    if final:
        starts, data = starts[starts < len(data)], data + bytes(LONGEST_HEAD)
    starts = starts[: np.searchsorted(starts, len(data) - LONGEST_HEAD, side="right")]
    starts = starts[_BEGINS_A_HEAD[np.frombuffer(data, np.uint8)[starts]]]
    if not len(starts):
        return starts, False
    heads = heads_at(data, starts, _JUDGED_BYTES)
    levels = (heads[3] >> 32 | heads[4] << 32) & 0xFFFFFFFFFFFF
    known = np.zeros(levels.shape, np.bool_)
    for level in _LEVELS:
        known |= levels == level
    known &= _SHAPE.fits(heads)
    odd = next((at for at in starts[~known].tolist() if may_begin(data, at)), None)
    return (starts[known], False) if odd is None else (starts[known & (starts < odd)], True)


def _claims(data: bytes, starts: Integers, minute_start: Callable[[bytes], int | None]) -> Integers:
    """What the heads claim, up to the first impossible time."""
    heads = heads_at(data, starts, _TIME_BYTES)
    changed = np.flatnonzero((heads[:2, 1:] != heads[:2, :-1]).any(axis=0)) + 1
    first = np.concatenate((np.zeros(1, np.int64), changed))
    minutes = [minute_start(data[at : at + _MINUTE_BYTES]) for at in starts[first].tolist()]
    seconds = _seconds(heads)
    impossible = np.flatnonzero(seconds >= 61_000_000)
    until = int(impossible[0]) if len(impossible) else len(starts)
    if None in minutes:
        until = min(until, int(first[minutes.index(None)]))
    of_minute = np.array([minute or 0 for minute in minutes], np.int64)
    return (np.repeat(of_minute, np.diff(first, append=len(starts))) + seconds)[:until]


def _seconds(heads: Words) -> Integers:
    """Microseconds since the minute's start."""
    return number_of(heads[2] >> 8 & 0xFFFF | heads[2] >> 32 << 16 | heads[3] << 48)


def _judged(claims: Integers, told: int, clock: Clock, *, final: bool) -> tuple[Integers, Truths]:
    """Event times of so many, and whether the claim didn't count; up to the first that lacks witnesses."""
    claimed = claims[:told]
    before = np.concatenate((np.array([clock.at if clock.after_text else claimed[0]], np.int64), claimed[:-1]))
    calm = (np.abs(claimed - before) <= TOLERANCE) & (claimed >= clock.vouched_from) & (claimed <= clock.vouched_until)
    odd = np.flatnonzero(~calm)
    ts, clamped = claimed.copy(), np.zeros(len(claimed), np.bool_)
    place = int(odd[0]) if len(odd) else len(claimed)
    while place < len(claimed):
        now = clock.after(int(ts[place - 1]), "text") if place else clock
        believed = _believed(claims, place, now, final=final)
        if believed is None:
            return ts[:place], clamped[:place]
        if believed:
            following = np.searchsorted(odd, place, side="right")
            place = int(odd[following]) if following < len(odd) else len(claimed)
        else:
            ts[place], clamped[place] = now.at, True
            place += 1
    return ts, clamped


def _believed(claimed: Integers, place: int, clock: Clock, *, final: bool) -> bool | None:
    """Whether a claim counts; None if too little follows to say."""
    record = RawRecord(0, 0, "text", int(claimed[place]))
    if not needs_witnesses(record, clock):
        return counts(record, clock, ())
    later = claimed[place + 1 : place + 1 + WITNESSES].tolist()
    if len(later) < WITNESSES and not final:
        return None
    return counts(record, clock, later)
