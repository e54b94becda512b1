"""Charts as numbers: where each bar, run and line lies. No text of anybody's, no markup: the page's template draws.

Lengths are SVG user units; y grows downwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rustbucket_pipeline.model.window import HOUR

NOTHING = " "

LEAST = 1e-9
"""The lowest top of a chart: what is less can't be seen anyway."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a column; `series` counts from 0, `at` is the column's place."""

    x: float
    y: float
    width: float
    height: float
    series: int
    at: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis, at that place, with its label's value."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Columns:
    """A column chart: its pieces, the lines across it, and where columns that aren't known lie (x, width)."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    lines: tuple[Tick, ...]
    unknown: tuple[tuple[float, float], ...]
    step: float


@dataclass(frozen=True, slots=True)
class Run:
    """Hours of one state that follow each other: the first one's place, how many, and the state's letter."""

    at: int
    length: int
    letter: str


def columns(
    series: Sequence[Sequence[float | None]], width: float, height: float, *, gap: float = 1.5, least: float = 0.0
) -> Columns:
    """Stacked columns of these series, the first one lowest; a column with a None isn't known.

    `least` is a value that lies within.
    """
    count = max((len(one) for one in series), default=0)
    stacks = [[one[at] for one in series] for at in range(count)]
    totals = [sum(value or 0 for value in stack) for stack in stacks]
    top = ceiling(max([*totals, least], default=0))
    step = width / count if count else width
    bars: list[Bar] = []
    for at, stack in enumerate(stacks):
        y = height
        for place, value in enumerate(stack):
            tall = (value or 0) / top * height
            y -= tall
            if tall > 0:
                bars.append(Bar(round(at * step, 2), round(y, 2), round(step - gap, 2), round(tall, 2), place, at))
    lines = tuple(Tick(round(height - part * height, 2), part * top) for part in (0.0, 0.5, 1.0))
    unknown = tuple(
        (round(at * step, 2), round(step - gap, 2)) for at, stack in enumerate(stacks) if stack and None in stack
    )
    return Columns(width, height, tuple(bars), lines, unknown, step)


def ceiling(value: float) -> float:
    """The next round number from there on: 1, 2, 4 or 5 and zeros, `LEAST` at least; 1 for nothing."""
    if value <= 0:
        return 1
    value = max(value, LEAST)
    scale = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 10.0 ** -_leading_zeros(value)
    return next(scale * one for one in (1, 2, 4, 5, 10, 20) if scale * one >= value)


def _leading_zeros(value: float) -> int:
    zeros = 0
    while value < 1:
        value, zeros = value * 10, zeros + 1
    return zeros


def spark(values: Sequence[float | None], width: int, height: int) -> tuple[str, ...]:
    """Points of the lines through these values, the highest at the top; one line for each stretch that is known."""
    most = max((value for value in values if value is not None), default=0) or 1
    step = width / max(1, len(values) - 1)
    found: list[str] = []
    for known, stretch in groupby(enumerate(values), key=lambda pair: pair[1] is not None):
        if known:
            points = [f"{at * step:.4g},{height - (value or 0) / most * height:.3g}" for at, value in stretch]
            found.append(" ".join(points if len(points) > 1 else points * 2))
    return tuple(found)


def runs(states: str) -> tuple[Run, ...]:
    """The runs of equal letters; blanks make none."""
    found: list[Run] = []
    at = 0
    for letter, group in groupby(states):
        length = sum(1 for _ in group)
        if letter != NOTHING:
            found.append(Run(at, length, letter))
        at += length
    return tuple(found)


def days_of(starts: Sequence[datetime], step: float) -> tuple[tuple[float, datetime], ...]:
    """Where UTC days begin among columns that begin then, each `step` wide."""
    return tuple((round(at * step, 2), start) for at, start in enumerate(starts) if start.hour == 0)


def midnights(since: datetime, hours: int) -> tuple[tuple[int, datetime], ...]:
    """Which of the hours from then on begin a UTC day."""
    moments = ((at, since + at * HOUR) for at in range(hours))
    return tuple((at, moment) for at, moment in moments if moment.hour == 0)


@dataclass(frozen=True, slots=True)
class Together:
    """An hour of all rustbuckets together: how many were due, are known, may still come, and are missing."""

    due: int
    known: int
    pending: int
    missing: int


def together(states: Mapping[str, str], hours: int, gaps: str, pending: str) -> tuple[Together, ...]:
    """The fleet's hours, one by one."""
    found: list[Together] = []
    for at in range(hours):
        letters = [row[at] for row in states.values() if row[at] != NOTHING]
        missing = sum(letter in gaps for letter in letters)
        waiting = letters.count(pending)
        found.append(Together(len(letters), len(letters) - missing - waiting, waiting, missing))
    return tuple(found)
