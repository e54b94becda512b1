"""Which rows fit, and which wait: shares of the room for strata, and water-filling within each. Pure; no text, no SQL.

Water-filling: the k-th row of one shape, or of one network, waits for everybody's (k-1)-th. A flood is many rows of few
shapes, so it can't crowd out what comes once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that could be shown: whatever identifies it, what it is, the groups in which it waits for others.

    `severity` is a rank; `draw` a number that nobody can foresee, for the tail.
    """

    key: str
    is_new: bool
    severity: int
    sessions: int
    groups: tuple[str, ...]
    draw: bytes


@dataclass(frozen=True, slots=True)
class Stratum:
    """A kind of row with a share of the room of its own, and the order within it before water-filling."""

    share: float
    belongs: Callable[[Candidate], bool]
    order: Callable[[Candidate], tuple[object, ...]]


SEVERE = 3
"""Rank from which a row is severe: high."""


def _busiest(candidate: Candidate) -> tuple[object, ...]:
    return (-candidate.severity, -candidate.sessions, candidate.key)


STRATA = (
    Stratum(0.36, lambda one: one.is_new and one.severity >= SEVERE, _busiest),
    Stratum(0.26, lambda one: one.is_new and one.severity < SEVERE, _busiest),
    Stratum(0.18, lambda one: True, lambda one: (-one.sessions, one.key)),
    Stratum(0.10, lambda one: not one.is_new and one.severity >= SEVERE, _busiest),
    Stratum(0.10, lambda one: True, lambda one: (one.draw,)),
)
"""New and severe, new, busiest, severe though usual, and a draw from all: shares of the room for whole rows."""


def water_filled(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The same, in the order of their turns; among those of one turn, in the order given."""
    taken = Counter[str]()
    turns: list[tuple[int, int]] = []
    for place, candidate in enumerate(candidates):
        turns.append((max((taken[group] for group in candidate.groups), default=0), place))
        taken.update(candidate.groups)
    return [candidates[place] for _, place in sorted(turns)]


def whole_rows(candidates: Sequence[Candidate], cost: Callable[[Candidate], int], room: int) -> list[Candidate]:
    """What is shown in full within so many bytes: stratum by stratum, what one leaves unused the next may use."""
    chosen: dict[str, Candidate] = {}
    left = 0.0
    for stratum in STRATA:
        left += room * stratum.share
        members = sorted((one for one in candidates if stratum.belongs(one)), key=stratum.order)
        for one in water_filled([member for member in members if member.key not in chosen]):
            price = cost(one)
            if price > left:
                break
            left -= price
            chosen[one.key] = one
    return list(chosen.values())


def short_rows(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """All others, in the order in which they are told in a line each: new and severe, new, severe, the busiest."""
    members = sorted(candidates, key=lambda one: (-one.sessions, one.key))
    kinds = [(one.is_new and one.severity >= SEVERE, one.is_new, one.severity >= SEVERE) for one in members]
    for kind in sorted(set(kinds), reverse=True):
        yield from water_filled([one for one, own in zip(members, kinds, strict=True) if own == kind])


def within(rows: Iterable[Row], cost: Callable[[Row], int], room: int) -> Iterator[Row]:
    """The first rows, as long as they fit into so many bytes."""
    for row in rows:
        room -= cost(row)
        if room < 0:
            return
        yield row
