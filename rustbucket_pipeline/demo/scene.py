"""The moment an attacker acts in: which rustbucket, when, and the dice. Shared by all attackers."""

from dataclasses import dataclass
from random import Random
from typing import TypeVar

HOUR_US = 3_600_000_000


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Scene:
    """One rustbucket at one moment. `at` in microseconds; `has_ssh`: it listens to SSH."""

    at: int
    has_ssh: bool
    rng: Random

    def pick(self, items: tuple[Item, ...]) -> Item:
        """One of the items."""
        return items[self.rng.randrange(len(items))]

    def port(self) -> int:
        """A client port."""
        return self.rng.randint(1024, 65535)
