"""The heal sensor: windows of the last 48 hours that their schedule missed, or whose run failed, are run again.

It compares what is there with what was built from, at each tick anew: nothing is remembered, so nothing can be lost.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, PARSE_LOGS, Job
from rustbucket_pipeline.control.plan import Due, due, without
from rustbucket_pipeline.control.runs import busy_windows, failures_since
from rustbucket_pipeline.control.states import window_states
from rustbucket_pipeline.defs.jobs import ASSET_JOBS
from rustbucket_pipeline.defs.requests import requests_for
from rustbucket_pipeline.defs.resources import Clock

LOOK_BACK = timedelta(hours=48)
MOST_REQUESTS = 25
"""Run requests per tick: submitting one takes the daemon about 0.3 s."""

TRIES_PER_DAY = 3


@dg.sensor(
    name="heal",
    jobs=[ASSET_JOBS[job.name] for job in (ARCHIVE_LOGS, PARSE_LOGS, ANALYSE_WINDOWS)],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs again what its schedule missed or what failed in the last 48 hours.",
)
def heal(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Engine], clock: dg.ResourceParam[Clock]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for runs of what is due past its grace and not tried too often; say so when nothing is."""
    requests = [
        request
        for job in (ARCHIVE_LOGS, PARSE_LOGS, ANALYSE_WINDOWS)
        for request in _requests(context.instance, database, job, clock())
    ]
    yield from requests[:MOST_REQUESTS] or [dg.SkipReason("every window of the last 48 hours is built")]


def _requests(instance: dg.DagsterInstance, database: Engine, job: Job, now: datetime) -> Iterator[dg.RunRequest]:
    with database.connect() as connection:
        states = window_states(connection, job, now - LOOK_BACK, now)
    overdue = without(due(states, now, grace=job.grace), busy_windows(instance, job))
    failures = failures_since(instance, job, now - timedelta(days=1))
    again = [
        Due(item.window, item.why, f"{item.version} {failures[item.window]}")
        for item in overdue
        if failures[item.window] < TRIES_PER_DAY
    ]
    return requests_for(job, again, "heal")
