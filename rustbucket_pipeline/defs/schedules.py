"""One schedule per cadence. Each takes what is due of its job's last 24 hours; what is older, the heal sensor takes.

Dagster never catches up a missed tick, so a tick doesn't ask "which window is it?" but "what is due?".
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, JOBS, Job
from rustbucket_pipeline.control.plan import Due, due, without
from rustbucket_pipeline.control.runs import busy_windows
from rustbucket_pipeline.control.states import window_states
from rustbucket_pipeline.defs.jobs import ASSET_JOBS
from rustbucket_pipeline.defs.requests import requests_for
from rustbucket_pipeline.model.window import HALF_HOUR, Window, window_at

DAY = timedelta(hours=24)


def _schedule(job: Job) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=job.name,
        job=ASSET_JOBS[job.name],
        cron_schedule=job.cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=job.does,
    )
    def tick(
        context: dg.ScheduleEvaluationContext, database: dg.ResourceParam[Engine]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        now = context.scheduled_execution_time
        if job.window is None:
            yield dg.RunRequest(run_key=f"tick:{job.name}:{now.isoformat()}")
            return
        with database.connect() as connection:
            states = window_states(connection, job, now - DAY, now)
        dues = without(due(states, now, grace=timedelta(0)), busy_windows(context.instance, job))
        if job is ARCHIVE_LOGS:
            dues = _newest(Window(window_at(now, HALF_HOUR).start - HALF_HOUR, HALF_HOUR), now.isoformat())
        requests = list(requests_for(job, dues, "tick"))
        yield from requests or [dg.SkipReason("nothing is due: no input changed since the last runs")]

    return tick


def _newest(window: Window, version: str) -> list[Due]:
    """The archive's tick: the newest window that is over; its pull brings whatever is new of every other window too."""
    return [Due(window, "the newest half hour is over", version)]


@dg.definitions
def schedules() -> dg.Definitions:
    """Every job's cadence, switched on."""
    return dg.Definitions(schedules=[_schedule(job) for job in JOBS])
