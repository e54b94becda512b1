"""The steps of a pull, by name: killed between any two of them, it loses nothing and doubles nothing.

`PullContext.reached` is told when one is done; the chaos tests kill there. Nothing else depends on it.
"""

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """What was done last, in the order of a pull."""

    LISTED = "listed"
    """A source told what it holds."""
    SEEN = "seen"
    """What the listing shows is written down, not committed."""
    NOTED = "noted"
    """It is committed."""
    BEGUN = "begun"
    """A batch has its lock, and knows its files' cursors and logs."""
    RECOGNISED = "recognised"
    """A file was compared with the logs it may continue."""
    STORED = "stored"
    """A segment's object is in the archive, durable or not."""
    CURSOR = "cursor"
    """A file's cursor is written, not committed."""
    SETTLED = "settled"
    """Every object of the batch is durable."""
    LEDGER = "ledger"
    """The batch's segments are written, not committed."""
    BUILT = "built"
    """What the batch's windows consist of now is written: next is the commit."""
    COMMITTED = "committed"
    """The batch is committed."""
    PULLED = "pulled"
    """A rustbucket is through, and its alerts are committed."""
    MISSED = "missed"
    """It is known which objects of the requested windows are gone."""
    REFETCHED = "refetched"
    """One of them is there again, durable or not."""
    MENDED = "mended"
    """All of a rustbucket are, durably; its alerts aren't committed."""
    CLOSED = "closed"
    """What the requested windows consist of is written, not committed."""


Watcher = Callable[[Step], None]
"""Told of every step, from whatever thread did it."""


def unwatched(step: Step) -> None:
    """For a pull that nobody watches."""
