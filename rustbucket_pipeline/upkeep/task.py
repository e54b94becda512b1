"""What an upkeep task is: what it is handed, what it does, and what it tells. The tasks themselves: a file each.

A task is an asset of the group `upkeep`, with a job and a schedule of its name; `rustbucket upkeep` runs it by hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.upkeep.dagster_seen import DagsterSeen

Figure = int | float | str | bool | None
"""A figure of a task's outcome, as Dagster shows and plots it."""

MOST_LINES = 200
LONGEST_LINE = 400


def _silent(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a task works with, opened for it: our database, the archive, what is known of Dagster, and the time (UTC).

    `say` puts a line about its progress into the job's log. `clock` is this machine's, to be held against others.
    """

    settings: Settings
    engine: Engine
    archive: Archive
    dagster: DagsterSeen
    now: datetime
    say: Callable[[str], None] = _silent
    clock: Callable[[], datetime] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a task tells: one line, its figures, and lines for people: what, and why.

    Not `ok`: it did its work and what it found is wrong, so its run fails once this is reported. Where people have to
    know, the task raised an alert itself.
    """

    summary: str
    figures: Mapping[str, Figure] = field(default_factory=dict[str, Figure])
    lines: tuple[str, ...] = ()
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Task:
    """A task: its name, what it does in one line, when it runs (`cron`, UTC) and how often that is (`every`).

    `run` does the work; `dry_run` tells what it would do, and changes nothing. They raise errors of ours. `deps` are
    the assets it looks at, for the lineage; `pool` is its lane, `kinds` what it works with, as the UI shows it.
    Modules of tasks are imported with every process: what takes long to import is imported by `run`.
    """

    name: str
    what: str
    cron: str
    every: timedelta
    run: Callable[[Bench], Told]
    dry_run: Callable[[Bench], Told]
    deps: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset({"postgres"})
    pool: str = "upkeep"

    @property
    def late_after(self) -> timedelta:
        """How old its newest success may be: two turns and the time a queue may take."""
        return 2 * self.every + timedelta(hours=2)
