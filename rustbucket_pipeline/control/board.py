"""The jobs at a glance: when each ticks, what became of it, what it does now, what it missed. Reads only.

From Dagster's own records and the plan: what the UI shows is what is said here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import JOBS, Job
from rustbucket_pipeline.control.outlook import Outlook, look
from rustbucket_pipeline.control.plan import Standing, Taker
from rustbucket_pipeline.control.ran import Ran, error_of, rows_of, runs_of, unfinished_of
from rustbucket_pipeline.control.success import last_counted, last_success
from rustbucket_pipeline.control.timetable import Timing
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.settings import Settings

_FAILURES = 20
"""How many failed runs are looked through for one whose windows still aren't built."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A run that failed, and why."""

    run: Ran
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """How a job stands. Times are UTC.

    `last_run`: the newest, however it ended; `succeeded_at`: since when everything is new to it; `last_error`: the
    newest failure that no success has mended; `next_tick`: None while it is off; `missed`: windows that its schedule
    should have built and that aren't, None for a job without windows; `waiting`: those of them that wait for others.
    """

    job: Job
    timing: Timing
    on: bool
    last_run: Ran | None
    last_success: Ran | None
    succeeded_at: datetime | None
    last_error: Failed | None
    next_tick: datetime | None
    running: tuple[Ran, ...]
    missed: tuple[Window, ...] | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Detail:
    """A run, with the rows it wrote and why it failed, as far as is known."""

    run: Ran
    rows: int | None
    error: str | None


def board(engine: Engine, instance: dg.DagsterInstance, settings: Settings, now: datetime) -> list[Entry]:
    """How every job stands, in the table's order."""
    with engine.connect() as connection:
        outlook = look(connection, instance, settings, now)
    return [_entry(instance, job, outlook) for job in JOBS]


def entry(engine: Engine, instance: dg.DagsterInstance, settings: Settings, job: Job, now: datetime) -> Entry:
    """How this job stands."""
    with engine.connect() as connection:
        outlook = look(connection, instance, settings, now)
    return _entry(instance, job, outlook)


def details(instance: dg.DagsterInstance, job: Job, most: int) -> Iterator[Detail]:
    """The job's newest runs, newest first."""
    for run in islice(runs_of(instance, job), most):
        failed = run.status == dg.DagsterRunStatus.FAILURE.value
        yield Detail(run, rows_of(instance, run.id), error_of(instance, run.id) if failed else None)


def _entry(instance: dg.DagsterInstance, job: Job, outlook: Outlook) -> Entry:
    timing, on = outlook.timetable[job.name], job.name not in outlook.off
    missed = [item for item in outlook.planned if item.job is job and item.taker is Taker.HEAL]
    return Entry(
        job=job,
        timing=timing,
        on=on,
        last_run=next(runs_of(instance, job), None),
        last_success=last_counted(instance, job),
        succeeded_at=last_success(instance, job),
        last_error=_last_error(instance, job, outlook),
        next_tick=timing.tick(outlook.now + timedelta(seconds=1)) if on else None,
        running=tuple(unfinished_of(instance, job)),
        missed=tuple(sorted(item.window for item in missed)) if job.window else None,
        waiting=sum(item.standing is Standing.WAITING for item in missed),
    )


def _last_error(instance: dg.DagsterInstance, job: Job, outlook: Outlook) -> Failed | None:
    """The newest failed run that wasn't mended: no run succeeded since, or a window of it still isn't built."""
    success = next(runs_of(instance, job, [dg.DagsterRunStatus.SUCCESS]), None)
    unbuilt = [item.window.key for item in outlook.planned if item.job is job]
    for run in islice(runs_of(instance, job, [dg.DagsterRunStatus.FAILURE]), _FAILURES):
        mended = success is not None and success.created > run.created
        if not mended or any((run.first or "~") <= key <= (run.last or "") for key in unbuilt):
            return Failed(run, error_of(instance, run.id) or "Dagster doesn't say why")
    return None
