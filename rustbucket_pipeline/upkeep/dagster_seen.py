"""What upkeep is told of Dagster: heartbeats, how jobs stand, their runs, their logs. `control/` tells it.

This room knows no Dagster: it is handed a `DagsterSeen`, and asks that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A part of Dagster's daemon: when it was heard last (UTC; None: never) and what errors it told of then."""

    part: str
    heard: datetime | None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobSeen:
    """How a job stands. Times are UTC.

    `overdue_since`: the newest tick at which it should have run and didn't; None: it isn't overdue, or is off.
    """

    name: str
    on: bool
    late_after: timedelta
    last_success: datetime | None
    overdue_since: datetime | None


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run of a job. `status` is Dagster's word (`SUCCESS`, `FAILURE`, `STARTED` …); times are UTC.

    `seconds` is None while it runs, or if it never began; `error`, why it failed, is one line.
    """

    id: str
    job: str
    status: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    seconds: float | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a job's log: when (UTC), how grave (`INFO`, `WARNING` …), of which run, and what."""

    time: datetime
    level: str
    job: str
    run: str | None
    message: str


class DagsterSeen(Protocol):
    """Dagster's own records, in words of ours. Every method reads only, and asks anew each time."""

    def heartbeats(self) -> Sequence[Heartbeat]:
        """Each part of the daemon that this instance needs."""
        ...

    def jobs(self, now: datetime) -> Sequence[JobSeen]:
        """Every job, in the order of `control/jobs.py`."""
        ...

    def unfinished(self) -> Sequence[RunSeen]:
        """The runs that haven't ended, of whatever job, oldest first."""
        ...

    def runs(self, since: datetime) -> Iterable[RunSeen]:
        """The runs of our jobs that were made since then (UTC), newest first; failed ones with their error."""
        ...

    def log(self, job: str, most: int) -> Sequence[LogLine]:
        """The job's newest log lines, oldest first."""
        ...
