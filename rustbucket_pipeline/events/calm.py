"""Stretches of text in which nothing speaks against any record: no doubt of `trust`'s holds there, nothing is torn.

Which records raise a doubt, or may, is told for a block of them at once; they and their neighbours go the exact way.
Grades nothing itself.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final

import numpy as np

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.dialects.kv import KV
from rustbucket_pipeline.events.dialects.structured import TARGETS
from rustbucket_pipeline.events.pieces import PlainText
from rustbucket_pipeline.events.quick_text import text_values
from rustbucket_pipeline.events.record import UNFINISHED, Parsed
from rustbucket_pipeline.events.trust import (
    JITTER,
    LEAP,
    RECENT,
    BelievedText,
    Grader,
    line_of,
    told_of,
)
from rustbucket_pipeline.events.witnesses import WITNESS_BYTES, WITNESSES, Following
from rustbucket_pipeline.framing.words import Integers, Truths

_NO_TIME = -(1 << 62)

SHORTEST = 16
"""Records; for fewer the exact way is as quick."""


class CalmText:
    """A block of text records, read, and where among them it is calm.

    `values` are those of plain records, `readings` what the others say, by place; a strange one is in neither.
    """

    def __init__(self, text: PlainText, behind: Following, is_ours: Callable[[str], bool]) -> None:
        """Read them; `behind` are the records that follow."""
        self.text = text
        self.values = text_values(text, is_ours)
        self.readings: dict[int, Parsed] = {}
        strange = {place for place in self.values.odd(0, len(text.ends)) if not self._read(place)}
        strange.update(np.flatnonzero(text.clamped).tolist())
        strange.update(place for place in self.readings if place and self._dialect(place) != self._dialect(place - 1))
        strange.update(place + 1 for place in self.readings if self._dialect(place) != self._dialect(place + 1))
        later = [_NO_TIME if claim is None else claim for claim in behind.claims()]
        claims = np.concatenate((text.claims, np.array(later, np.int64)))
        in_order = np.sort(claims)
        equal = in_order[1:][in_order[1:] == in_order[:-1]]
        self._all_differ: Final = not len(equal)
        strange.update(self._odd_times(claims, behind.size))
        if not self._all_differ:
            strange.update(self._repeated({*equal.tolist()}, behind))
        self._strange: Final = sorted(strange | {len(text.ends) + (not later)})

    def until(self, place: int, grader: Grader) -> int:
        """The end of the calm stretch that begins here; `place` if none does."""
        # What comes behind a calm record may yet be read into it; behind a block's last one, nobody has looked.
        end = self._strange[bisect_left(self._strange, place)] - 1
        if end - place < SHORTEST or not grader.goes_on(self.text.claimed[place], self._dialect(place)):
            return place
        end = min([end, *(at - 1 for at in self._told_again(place, end + 1, grader))])
        return end if end - place >= SHORTEST else place

    def _told_again(self, place: int, end: int, grader: Grader) -> Iterator[int]:
        """The records of the stretch, and the one behind, whose line was there already."""
        claimed, end = self.text.claimed, min(end, len(self.text.ends))
        again = grader.written & self._by_claim.keys()
        said = map(self._by_claim.__getitem__, again) if self._all_differ else range(place, end)
        for at in said if again else ():
            if place <= at < end and claimed[at] in again and grader.wrote(claimed[at], self._line(at)):
                yield at

    @cached_property
    def _by_claim(self) -> dict[int, int]:
        """A record that claims the time."""
        return {claim: at for at, claim in enumerate(self.text.claimed)}

    def believed(self, place: int, end: int) -> BelievedText:
        """A stretch as a grader notes it."""
        text, recent = self.text, range(max(place, end - RECENT), end)
        return BelievedText(
            self._dialect(place),
            text.offset + text.borders[place],
            text.offset + text.ends[place:end],
            self._opens(place, end),
            text.claimed[end - 1],
            [*self._told(recent.start, end)],
            [(text.claimed[at], self._line(at)) for at in (recent if self._all_differ else range(place, end))],
        )

    def _read(self, place: int) -> bool:
        """Whether a record is known and finished; its reading is kept then."""
        record = self.text.record(place)
        reading = recognise(record.data, record.kind, record.likely)
        if not isinstance(reading, Parsed) or not reading.meaning.known or UNFINISHED in reading.flags:
            return False
        if reading.target not in TARGETS:
            return False
        self.readings[place] = reading
        return True

    def _dialect(self, place: int) -> str:
        """Of a record that isn't strange; plain ones are of one."""
        reading = self.readings.get(place)
        return KV.name if reading is None else reading.dialect

    def _opens(self, place: int, end: int) -> Truths:
        opens = self.values.opens(place, end)
        for at, reading in self.readings.items():
            if place <= at < end:
                opens[at - place] = reading.meaning.opens
        return opens

    def _told(self, place: int, end: int) -> Iterator[str]:
        for at, told in enumerate(self.values.told(place, end), place):
            yield from told_of(self.readings[at]) if at in self.readings else told

    def _line(self, place: int) -> bytes:
        borders = self.text.borders
        return line_of(self.text.data, borders[place], borders[place + 1])

    def _odd_times(self, claims: Integers, size_behind: int) -> Iterator[int]:
        """Records behind the one before them, and those ahead of it that most of the following ones contradict."""
        steps = np.diff(claims[: len(self.text.ends)])
        yield from (np.flatnonzero(steps < -JITTER) + 1).tolist()
        for at in (np.flatnonzero(steps > LEAP) + 1).tolist():
            later = claims[at + 1 : at + 1 + WITNESSES]
            later = later[later != _NO_TIME]
            contradict = np.count_nonzero(later < claims[at] - JITTER)
            if 2 * contradict > len(later) or self._is_wide(at, size_behind):
                yield at

    def _is_wide(self, place: int, size_behind: int) -> bool:
        """Whether so many bytes follow that fewer records may be asked."""
        borders, last = self.text.borders, place + WITNESSES
        within = last < len(self.text.ends)
        size = (borders[last + 1] if within else borders[-1] + size_behind) - borders[place]
        return size >= WITNESS_BYTES

    def _repeated(self, claims: set[int], behind: Following) -> Iterator[int]:
        """Records whose line stands among these once more: with its time, so only those of these claims may."""
        own = [at for at, claim in enumerate(self.text.claimed) if claim in claims]
        lines = [(self._line(at), at) for at in own]
        lines += [(line_of(one.data), len(self.text.ends)) for one in behind.records() if one.claimed in claims]
        # In this order a line is followed by all that begin with it; none begins with a line break.
        first = (b"\n", 0)
        for line, at in sorted(lines):
            if line.startswith(first[0]):
                yield from (place for place in (first[1], at) if place < len(self.text.ends))
            else:
                first = (line, at)
