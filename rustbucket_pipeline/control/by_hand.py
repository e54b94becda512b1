"""What a person's order to run a job comes to: the windows that are due of it, and why the others aren't run.

The planner decides here as it does for schedules, but a person needn't wait: neither for a pause between tries, nor for
a job's switch. A forced order skips the planner: whatever was named is run, twice at once if need be.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, Job
from rustbucket_pipeline.control.outlook import Outlook, claimed, look
from rustbucket_pipeline.control.plan import Planned, Standing, newest, stretches
from rustbucket_pipeline.control.ran import unfinished_of
from rustbucket_pipeline.control.states import note_requests
from rustbucket_pipeline.control.success import last_success
from rustbucket_pipeline.control.timetable import load_timetable
from rustbucket_pipeline.model.window import Window, window_at
from rustbucket_pipeline.settings import Settings

Stretch = tuple[Window, Window] | None
"""The first and last window of one run; None: the run of a job without windows."""

_NOW = frozenset({Standing.DUE, Standing.PAUSED, Standing.OFF})
"""What a person can have run at once."""


@dataclass(frozen=True, slots=True)
class Order:
    """The runs to start, in order, and by window (None: the job itself) why the rest isn't run."""

    runs: tuple[Stretch, ...]
    left: dict[Window | None, str] = field(default_factory=dict[Window | None, str])


def order(
    engine: Engine,
    instance: dg.DagsterInstance,
    settings: Settings,
    job: Job,
    windows: Collection[Window] | None,
    now: datetime,
) -> Order:
    """What is due of the job, or of these windows of it; noted as asked for, so that nobody else asks, too."""
    if job.window is None:
        waits = _why_not(instance, settings, job, now)
        return Order((), {None: waits}) if waits else Order((None,))
    with claimed(engine) as connection:
        outlook = look(connection, instance, settings, now)
        items = list(_items(outlook, job, windows, now))
        note_requests(connection, items, now)
    left = {} if windows is None else _left(outlook, job, set(windows) - {item.window for item in items})
    return Order(tuple((run[0].window, run[-1].window) for run in stretches(items)), left)


def forced(job: Job, windows: Sequence[Window] | None, now: datetime) -> Order:
    """These windows of the job, or its newest that is over, whatever is due."""
    if job.window is None:
        return Order((None,))
    chosen = windows or [newest_over(job, job.window, now)]
    return Order(tuple(adjacent(chosen)))


def newest_over(job: Job, length: timedelta, now: datetime) -> Window:
    """The job's newest window that is over."""
    return Window(window_at(now, length).start - length, length)


def adjacent(windows: Sequence[Window]) -> Iterator[tuple[Window, Window]]:
    """Windows in order, those next to each other together: the first and last of each stretch."""
    first = last = None
    for window in windows:
        if first is not None and last is not None and last.end != window.start:
            yield first, last
            first = None
        first, last = first or window, window
    if first is not None and last is not None:
        yield first, last


def _items(outlook: Outlook, job: Job, windows: Collection[Window] | None, now: datetime) -> Iterator[Planned]:
    """What is run, oldest first; an archive's newest half hour in any case, as its schedule does."""
    own = sorted((item for item in outlook.planned if item.job is job), key=lambda item: item.window)
    if windows is not None:
        chosen = set(windows)
        yield from (item for item in own if item.window in chosen and item.standing in _NOW)
        return
    yield from (item for item in own if item.standing is Standing.DUE)
    if job is ARCHIVE_LOGS and job.window is not None:
        last = newest_over(job, job.window, now)
        if last not in {item.window for item in own} and (job.name, last) not in outlook.unfinished.windows:
            yield newest(job, last, now)


def _left(outlook: Outlook, job: Job, windows: Collection[Window]) -> dict[Window | None, str]:
    known = {item.window: item for item in outlook.planned if item.job is job}
    return {window: _standing(known.get(window)) for window in sorted(windows)}


def _standing(item: Planned | None) -> str:
    if item is None:
        return "built from what is there, or nothing came of it"
    return f"{item.standing}: {item.detail}"


def _why_not(instance: dg.DagsterInstance, settings: Settings, job: Job, now: datetime) -> str:
    """Why a job without windows isn't due; empty when it is."""
    if running := unfinished_of(instance, job):
        return f"run {running[0].id[:8]} is under way since {running[0].created:%H:%M:%S} UTC"
    success = last_success(instance, job)
    if success is None:
        return ""
    due = load_timetable(settings)[job.name].tick(success + timedelta(seconds=1))
    return "" if due <= now else f"it ran at {success:%Y-%m-%d %H:%M:%S}, and is due at {due:%Y-%m-%d %H:%M} UTC"
