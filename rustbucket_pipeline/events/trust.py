"""How far a record can be believed: in text, attackers can write lines that look like records of their own.

A record's trust is 1.0 unless attacker text can reach it: it stands right behind text that may hold line breaks, or a
short way behind, where the records between may themselves be forged. There it begins at 0.8 (nothing speaks against it,
but it can't be told from a forgery) and is halved for each doubt. A JSON line opens nothing: no line break in it is a
real one. But it can itself stand in open text.

What follows in the log is a witness: an attacker's lines are few, so a time or a dialect that most of the following
records share is no doubt, however odd it looks. `docs/events.md` lists the doubts.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, KeysView, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rustbucket_pipeline.events.dialects import dialect_told
from rustbucket_pipeline.events.dialects.structured import TARGETS
from rustbucket_pipeline.events.normalise import SUSPECT
from rustbucket_pipeline.events.pieces import LogRecord
from rustbucket_pipeline.events.record import UNFINISHED, Parsed
from rustbucket_pipeline.events.witnesses import Witnesses
from rustbucket_pipeline.framing.words import Integers, Truths

IN_OPEN_TEXT = 0.8
"""Trust of a record that may be forged, with nothing speaking against it."""

JITTER = 100_000
"""Microseconds by which true records come out of order; an attacker has to guess when the honeypot will write."""

LEAP = 2_000_000
"""Microseconds a forged record may be ahead before the records that follow are asked."""

REACH = 256 * 1024
"""Bytes behind open text in which an attacker's lines may still go on; an SSH password can be that long."""

UNFINISHED_REACH = 8 * 1024
"""The same behind a record that lacks its end: it may have been cut, and then nothing of it follows."""

_WRITTEN = re.compile(
    rb'(?:\xef\xbb\xbf)?(?:\{"timestamp":")?[0-9T:-]{19}\.[0-9]{6}Z(?:  INFO|  WARN| ERROR| DEBUG| TRACE|","level")'
)
_LINE_BYTES = 160
RECENT = 256
_MOST_TARGETS = 1024


@dataclass(slots=True)
class _Recent:
    """What the last believed records told of, and the heads of all."""

    told: deque[str] = field(default_factory=lambda: deque[str](maxlen=RECENT))
    targets: set[str | None] = field(default_factory=lambda: set(TARGETS))
    dialects: set[str] = field(default_factory=set[str])
    lines: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def wrote(self, claimed: int, line: bytes) -> None:
        if len(self.lines) >= RECENT:
            del self.lines[next(iter(self.lines))]
        self.lines[claimed] = line


@dataclass(slots=True)
class Grader:
    """Grades the records of one log in order.

    `open`: the record before may end in attacker text. `last`: its event time, in microseconds since the epoch.
    """

    open: bool
    last: int
    dialect: str | None = None
    _reach: int | None = None
    _awaited: bytes = b""
    _awaited_until: int = 0
    _recent: _Recent = field(default_factory=_Recent)

    def wary(self, offset: int) -> bool:
        """Whether the record that begins there may be an attacker's."""
        return self.open or (self._reach is not None and offset < self._reach)

    def grade(
        self, parsed: Parsed, record: LogRecord, later: Witnesses, *, quoted: bool = False
    ) -> tuple[float, tuple[str, ...]]:
        """The record's trust and the doubts it rests on.

        `later` are the records that follow it; `quoted`: it stands behind the beginning of a string, in a damaged line.
        """
        if not (quoted or self.wary(record.offset)):
            self._believe(parsed, record)
            self._recent.dialects.add(parsed.dialect)
            if len(self._recent.targets) < _MOST_TARGETS:
                self._recent.targets.add(parsed.target)
            return 1.0, ()
        doubts = tuple(self._doubts(parsed, record, later))
        trust = IN_OPEN_TEXT * 0.5 ** len(doubts)
        if trust >= SUSPECT:
            self._believe(parsed, record)
        else:
            self.pass_over(record)
        if record.claimed is not None:
            self._recent.wrote(record.claimed, line_of(record.data))
        return trust, doubts

    def believe_lines(self, dialect: str, last: int, told: Iterable[str]) -> None:
        """Note JSON lines that nobody can have forged: the time of the last, and whom and what they told of."""
        self.open, self._awaited, self.dialect, self.last = False, b"", dialect, last
        self._recent.told.extend(told)

    def goes_on(self, claimed: int, dialect: str) -> bool:
        """Whether a record of that time and dialect raises no doubt in what went before."""
        familiar = self.dialect in (None, dialect) or dialect in self._recent.dialects
        return familiar and not self._awaited and self.last - JITTER <= claimed <= self.last + LEAP

    @property
    def written(self) -> KeysView[int]:
        """The times that the last heads claimed."""
        return self._recent.lines.keys()

    def wrote(self, claimed: int, line: bytes) -> bool:
        """Whether a record of that time was written with that line."""
        before = self._recent.lines.get(claimed)
        return before is not None and same_line(line, before)

    def believe_text(self, run: "BelievedText") -> NDArray[np.float64]:
        """Note text records against which nothing speaks; their trust, one by one."""
        awake = np.append(self.open, run.opens[:-1])
        reached = np.append(self._reach or run.start, np.where(run.opens, run.ends + REACH, 0)[:-1])
        in_reach = np.append(run.start, run.ends[:-1]) < np.maximum.accumulate(reached)
        forgeable = awake | in_reach
        if run.opens.any():
            self._reach = int(run.ends[run.opens][-1]) + REACH
        self.open, self.dialect, self.last, self._awaited = bool(run.opens[-1]), run.dialect, run.last, b""
        if not forgeable.all():
            self._recent.dialects.add(run.dialect)
        self._recent.told.extend(run.told)
        for forged, (claimed, line) in zip(forgeable[-len(run.lines) :].tolist(), run.lines, strict=True):
            if forged:
                self._recent.wrote(claimed, line)
        return np.where(forgeable, IN_OPEN_TEXT, 1.0)

    def pass_over(self, record: LogRecord) -> None:
        """Note what is no record, or none that is believed: an unfinished one may end there."""
        if self._awaited and self._awaited in record.data:
            self._awaited = b""

    def _doubts(self, parsed: Parsed, record: LogRecord, later: Witnesses) -> Iterator[str]:
        claimed = record.claimed
        if record.clamped:
            yield "clamped"
        if claimed is not None:
            yield from self._doubts_of_time(parsed, claimed, later)
        looks = (
            ("written twice", claimed is not None and self._is_repeated(record, claimed, later)),
            ("written otherwise", not _WRITTEN.match(record.data)),
            ("unknown target", parsed.target not in self._recent.targets),
            ("unknown message", not parsed.meaning.known),
            ("other dialect", self._is_foreign(parsed.dialect, later)),
            ("in an unfinished record", bool(self._awaited) and record.offset < self._awaited_until),
        )
        yield from (doubt for doubt, holds in looks if holds)

    def _doubts_of_time(self, parsed: Parsed, claimed: int, later: Witnesses) -> Iterator[str]:
        """None if the log goes on there, nor a little behind if it tells of what was just told of."""
        if self.open and claimed < self.last - JITTER:
            follows = claimed >= self.last - LEAP and any(value in self._recent.told for value in told_of(parsed))
            if not follows and not later.mostly_before(self.last - JITTER):
                yield "back in time"
        elif claimed > self.last + LEAP and later.mostly_before(claimed - JITTER):
            yield "ahead of time"

    def _is_foreign(self, dialect: str, later: Witnesses) -> bool:
        """Whether it is in a dialect not surely met before, and in another than three in four of those that follow."""
        if self.dialect is None or dialect == self.dialect or dialect in self._recent.dialects:
            return False
        told = [
            name for name in (dialect_told(other.data, other.kind) for other in later.records()) if name is not None
        ]
        return 4 * told.count(dialect) < len(told) or not told

    def _is_repeated(self, record: LogRecord, claimed: int, later: Witnesses) -> bool:
        """Whether its line stands near it once more: attacker text is logged two to four times, a record once."""
        line = line_of(record.data)
        if self.wrote(claimed, line):
            return True
        return claimed in later.claims() and any(
            other.claimed == claimed and same_line(line, line_of(other.data)) for other in later.records()
        )

    def _believe(self, parsed: Parsed, record: LogRecord) -> None:
        self.open = record.kind != "json" and parsed.meaning.opens
        if self.open:
            self._reach = record.offset + len(record.data) + REACH
        self._awaited = parsed.awaits.encode() if UNFINISHED in parsed.flags else b""
        self._awaited_until = record.offset + len(record.data) + UNFINISHED_REACH
        self.dialect = parsed.dialect
        self._recent.told.extend(told_of(parsed))
        if record.claimed is not None:
            self.last = record.claimed


class BelievedText(NamedTuple):
    """Text records of one dialect, one behind the other, that are known and finished and in nobody's doubt.

    They begin at `start`, end at `ends`; `opens`: each ends in attacker text. `last` is the time that the last claims;
    `told` are those of the last `RECENT` records, `lines`, with the time claimed, as well, or of all if times repeat.
    """

    dialect: str
    start: int
    ends: Integers
    opens: Truths
    last: int
    told: Sequence[str]
    lines: Sequence[tuple[int, bytes]]


def told_of(parsed: Parsed) -> Iterator[str]:
    """Whom and what a record tells of: who forges these tells of himself."""
    for name in ("client_ip", "command"):
        value = parsed.fields.get(name)
        if isinstance(value, str) and value:
            yield value


def line_of(data: bytes, start: int = 0, end: int | None = None) -> bytes:
    """The first line of a record there, as far as it is compared."""
    until = min(start + _LINE_BYTES, len(data) if end is None else end)
    newline = data.find(b"\n", start, until)
    return data[start : until if newline < 0 else newline].rstrip(b"\r")


def same_line(one: bytes, other: bytes) -> bool:
    """Whether one begins with the other: what stands behind attacker text in each telling differs."""
    return one.startswith(other) or other.startswith(one)
