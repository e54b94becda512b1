"""One schedule per job. Each takes what is due of its job's last 24 hours; what is older, the heal sensor takes.

Dagster never catches up a missed tick, so a tick doesn't ask "which window is it?" but "what is due?".
"""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, JOBS, Job
from rustbucket_pipeline.control.outlook import Outlook, claimed, look
from rustbucket_pipeline.control.plan import Planned, Standing, for_schedule, newest, stretches
from rustbucket_pipeline.control.states import note_requests
from rustbucket_pipeline.control.timetable import Timing, load_timetable
from rustbucket_pipeline.defs.jobs import ASSET_JOBS
from rustbucket_pipeline.defs.requests import request_for
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.model.window import HALF_HOUR, Window, window_at
from rustbucket_pipeline.settings import Settings, load_settings


def _schedule(job: Job, timing: Timing) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=job.name,
        job=ASSET_JOBS[job.name],
        cron_schedule=timing.cron,
        execution_timezone=timing.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if timing.on else dg.DefaultScheduleStatus.STOPPED,
        description=f"TEST MODE, every 5 minutes. {job.does}" if timing.testing else job.does,
    )
    def tick(
        context: dg.ScheduleEvaluationContext,
        database: dg.ResourceParam[Engine],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        if job.window is None:
            yield dg.RunRequest(run_key=f"{job.name}:{context.scheduled_execution_time.isoformat()}")
            return
        now = clock()
        with claimed(database) as connection:
            items = _items(look(connection, context.instance, settings, now), job, now)
            note_requests(connection, items, now)
        requests = [request_for(stretch, now) for stretch in stretches(items)]
        yield from requests or [dg.SkipReason("nothing is due: no input changed since the last runs")]

    return tick


def _items(outlook: Outlook, job: Job, now: datetime) -> list[Planned]:
    """What the tick takes. An archive's takes the newest half hour in any case: its pull brings what is new of all."""
    items = for_schedule(outlook.planned, job)
    if job is not ARCHIVE_LOGS:
        return items
    window = Window(window_at(now, HALF_HOUR).start - HALF_HOUR, HALF_HOUR)
    elsewhere = {item.window for item in outlook.planned if item.job is job and item.standing is not Standing.OFF}
    if window in elsewhere or (job.name, window) in outlook.unfinished.windows:
        return items
    return [*items, newest(job, window, now)]


@dg.definitions
def schedules() -> dg.Definitions:
    """Every job's cadence, as the timetable has it."""
    timetable = load_timetable(load_settings())
    return dg.Definitions(schedules=[_schedule(job, timetable[job.name]) for job in JOBS])
