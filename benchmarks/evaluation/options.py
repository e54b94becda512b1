"""What the measures are told on the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import SystemRandom


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured. `full` adds a window of a million events; `live` asks the model."""

    windows: int = 2
    events: int = 50_000
    full: bool = False
    live: bool = False

    def seeds(self) -> Iterator[int]:
        """As many as windows, drawn anew each time and printed with the figures."""
        return (SystemRandom().randrange(10**6) for _ in range(self.windows))
