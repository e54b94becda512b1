"""What one comparison is, how it is timed and shown. Which comparisons there are: `__main__`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same bytes through our code and through a yardstick, one after the other. Times in seconds.

    `rows` is what became of the bytes, 0 where rows don't matter; `goal` the least ratio we want, if we want one.
    """

    ours: str
    yardstick: str
    size: int
    seconds: float
    yardstick_seconds: float
    rows: int = 0
    goal: float | None = None

    @property
    def ratio(self) -> float:
        """Our speed as a share of the yardstick's: 1 is as fast, 0.5 half as fast."""
        return self.yardstick_seconds / self.seconds

    @property
    def met(self) -> bool:
        """Whether the goal is reached; so it is where there is none."""
        return self.goal is None or self.ratio >= self.goal


def seconds_of(work: Callable[[], object], times: int = 1) -> float:
    """The fastest of so many runs."""
    return min(_once(work) for _ in range(times))


def show(comparisons: Sequence[Comparison]) -> None:
    """One table, ratios last."""
    table = Table(box=None, pad_edge=False)
    for column in ("measured", "MB", "MB/s", "rows/s", "against", "MB/s", "rows/s", "ratio", "goal"):
        table.add_column(column, justify="left" if column in {"measured", "against"} else "right")
    for one in comparisons:
        ours, theirs = _speeds(one, one.seconds), _speeds(one, one.yardstick_seconds)
        goal = "" if one.goal is None else f"{one.goal:g} {'met' if one.met else 'MISSED'}"
        table.add_row(one.ours, f"{one.size / MEGABYTE:.0f}", *ours, one.yardstick, *theirs, f"{one.ratio:.3f}", goal)
    Console(width=132).print(table)


def _speeds(one: Comparison, seconds: float) -> tuple[str, str]:
    rows = f"{one.rows / seconds:,.0f}" if one.rows else ""
    return f"{one.size / MEGABYTE / seconds:.1f}", rows


def _once(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
