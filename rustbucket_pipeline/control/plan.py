"""What is due, and why: a pure function of what was built from what, what is being built, and the time.

No database, no clock, no Dagster: `states.py` gathers the facts, schedules and the heal sensor act on the answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rustbucket_pipeline.model.window import Window


@dataclass(frozen=True, slots=True)
class WindowState:
    """One window of one job. Versions are hashes; None where there is nothing.

    `inputs` is the version it would be built from now, None while no input was ever built; `built_from` the version it
    was built from. `ready`: no more data is expected for it; a job that needn't wait is always ready.
    """

    window: Window
    inputs: str | None
    built_from: str | None
    ready: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A window to build, and why, in words for people."""

    window: Window
    why: str
    version: str


def due(states: Iterable[WindowState], now: datetime, *, grace: timedelta) -> list[Due]:
    """The windows to build now, oldest first: over for at least `grace`, ready, and stale or never built.

    A window of which nothing came yet isn't built: silence proves nothing. Where a job builds two assets, a window has
    two states; it is due once, for whichever asset needs it.
    """
    found: dict[Window, Due] = {}
    for state in states:
        if state.inputs is not None and state.inputs != state.built_from and state.ready:
            why = "inputs changed since it was built" if state.built_from else "never built"
            found.setdefault(state.window, Due(state.window, why, state.inputs))
    return sorted((item for item in found.values() if item.window.end + grace <= now), key=lambda item: item.window)


def without(dues: Iterable[Due], busy: Iterable[Window]) -> list[Due]:
    """Those of the due windows that no unfinished run is building."""
    taken = set(busy)
    return [item for item in dues if item.window not in taken]


def ranges(dues: Sequence[Due]) -> Iterator[tuple[Due, ...]]:
    """Runs of adjacent windows, oldest first: each is one run."""
    run: list[Due] = []
    for item in dues:
        if run and run[-1].window.end != item.window.start:
            yield tuple(run)
            run = []
        run.append(item)
    if run:
        yield tuple(run)
