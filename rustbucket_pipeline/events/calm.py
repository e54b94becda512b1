"""Stretches of text in which nothing speaks against any record: no doubt of `trust`'s holds there, nothing is torn.

Which records raise a doubt, or may, is told for a block of them at once; they and their neighbours go the exact way.
Grades nothing itself.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice
from typing import Final

import numpy as np

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.dialects.kv import KV
from rustbucket_pipeline.events.dialects.structured import TARGETS
from rustbucket_pipeline.events.quick_text import text_values
from rustbucket_pipeline.events.read import LogRecord, PlainText
from rustbucket_pipeline.events.record import UNFINISHED, Parsed
from rustbucket_pipeline.events.trust import (
    JITTER,
    LEAP,
    NOTED,
    RECENT,
    WITNESS_BYTES,
    WITNESSES,
    BelievedText,
    Grader,
    line_of,
    same_line,
    told_of,
)

_NO_TIME = -(1 << 62)

SHORTEST = 16
"""Records; for fewer the exact way is as quick."""


class CalmText:
    """A block of text records, read, and where among them it is calm.

    `values` are those of plain records, `readings` what the others say, by place; a strange one is in neither.
    """

    def __init__(self, text: PlainText, following: Iterator[LogRecord], is_ours: Callable[[str], bool]) -> None:
        """Read them; `following` are the records behind, of which few are asked."""
        self.text = text
        self.values = text_values(text, is_ours)
        self.readings: dict[int, Parsed] = {}
        dialects = [KV.name if known is not None else self._read(at) for at, known in enumerate(self.values.known)]
        behind = list(islice(following, WITNESSES))
        strange = {at for at, dialect in enumerate(dialects) if dialect is None or text.clamped[at]}
        strange.update(at for at in range(1, len(dialects)) if dialects[at] != dialects[at - 1])
        strange.update(self._odd_times(behind), self._repeated(behind))
        self._strange: Final = sorted(strange | {len(dialects) + (not behind)})
        self._dialects: Final = dialects

    def until(self, place: int, grader: Grader) -> int:
        """The end of the calm stretch that begins here; `place` if none does."""
        dialect = self._dialects[place]
        if dialect is None or not grader.goes_on(self.text.claimed[place], dialect):
            return place
        # What comes behind a calm record may yet be read into it; behind a block's last one, nobody has looked.
        end = self._strange[bisect_left(self._strange, place)] - 1
        end = min(end, self._told_before(place, end, grader))
        return end if end - place >= SHORTEST else place

    def _told_before(self, place: int, end: int, grader: Grader) -> int:
        """Before the first record of a stretch whose line was there already, and the one before that; or its end."""
        claimed = self.text.claimed
        if grader.written.isdisjoint(claimed[place:end]):
            return end
        again = (at for at in range(place, end) if grader.wrote(claimed[at], self._line(at)))
        return next(again, end + 1) - 1

    def believed(self, place: int, end: int) -> BelievedText:
        """A stretch as a grader notes it."""
        text, known, readings = self.text, self.values.known, self.readings
        start, _ = text.span(place)
        return BelievedText(
            self._dialects[place] or "",
            text.offset + start,
            [text.offset + at for at in text.ends[place:end]],
            [one.opens if (one := known[at]) is not None else readings[at].meaning.opens for at in range(place, end)],
            text.claimed[end - 1],
            [told for at in range(max(place, end - RECENT), end) for told in self._told(at)],
            [(text.claimed[at], self._line(at)) for at in range(max(place, end - NOTED), end)],
        )

    def _read(self, place: int) -> str | None:
        """The dialect of a record that is known and finished, and remember its reading."""
        record = self.text.record(place)
        reading = recognise(record.data, record.kind, record.likely)
        if not isinstance(reading, Parsed) or not reading.meaning.known or UNFINISHED in reading.flags:
            return None
        if reading.target not in TARGETS:
            return None
        self.readings[place] = reading
        return reading.dialect

    def _told(self, place: int) -> Iterator[str]:
        reading = self.readings.get(place)
        return self.values.tells_of(place) if reading is None else told_of(reading)

    def _line(self, place: int) -> bytes:
        start, end = self.text.span(place)
        return line_of(self.text.data[start:end])

    def _odd_times(self, behind: Sequence[LogRecord]) -> Iterator[int]:
        """Records behind the one before them, and those ahead of it that most of the following ones contradict."""
        claimed = np.array(self.text.claimed, np.int64)
        steps = np.diff(claimed)
        yield from (np.flatnonzero(steps < -JITTER) + 1).tolist()
        leaps = (np.flatnonzero(steps > LEAP) + 1).tolist()
        claims = np.concatenate((claimed, [_NO_TIME if one.claimed is None else one.claimed for one in behind]))
        size_behind = sum(len(one.data) for one in behind)
        for at in leaps:
            later = claims[at + 1 : at + 1 + WITNESSES]
            later = later[later != _NO_TIME]
            contradict = np.count_nonzero(later < claimed[at] - JITTER)
            if 2 * contradict > len(later) or self._is_wide(at, size_behind):
                yield at

    def _is_wide(self, place: int, size_behind: int) -> bool:
        """Whether so many bytes follow that fewer records may be asked."""
        start, _ = self.text.span(place)
        last = place + WITNESSES
        within = last < len(self.text.ends)
        size = self.text.ends[last] - start if within else len(self.text.data) - start + size_behind
        return size >= WITNESS_BYTES

    def _repeated(self, behind: Sequence[LogRecord]) -> Iterator[int]:
        """Records whose line stands among these once more."""
        by_time: dict[int, list[int]] = {}
        claims = [*self.text.claimed, *(one.claimed for one in behind)]
        for at, claim in enumerate(claims):
            if claim is not None:
                by_time.setdefault(claim, []).append(at)
        if len(by_time) == len(claims):
            return
        own = len(self.text.ends)
        for places in by_time.values():
            lines = [self._line(at) if at < own else line_of(behind[at - own].data) for at in places]
            for one, other in combinations(range(len(places)), 2):
                if same_line(lines[one], lines[other]):
                    yield from (at for at in (places[one], places[other]) if at < own)
