"""What one comparison is, how it is timed and shown. Which comparisons there are: `__main__`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same bytes through our code and through a yardstick, one after the other. Times in seconds."""

    ours: str
    yardstick: str
    size: int
    seconds: float
    yardstick_seconds: float

    @property
    def ratio(self) -> float:
        """Our speed as a share of the yardstick's: 1 is as fast, 0.5 half as fast."""
        return self.yardstick_seconds / self.seconds


def seconds_of(work: Callable[[], object], times: int = 1) -> float:
    """The fastest of so many runs."""
    return min(_once(work) for _ in range(times))


def show(comparisons: Sequence[Comparison]) -> None:
    """One table, ratios last."""
    table = Table("measured", "MB", "MB/s", "against", "MB/s", "ratio", box=None, pad_edge=False)
    for one in comparisons:
        megabytes = one.size / MEGABYTE
        ours, other = megabytes / one.seconds, megabytes / one.yardstick_seconds
        table.add_row(one.ours, f"{megabytes:.0f}", f"{ours:.0f}", one.yardstick, f"{other:.0f}", f"{one.ratio:.3f}")
    Console(width=120).print(table)


def _once(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
