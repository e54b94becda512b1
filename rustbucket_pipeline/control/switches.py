"""Switching a job's schedule on and off, as the UI does: Dagster keeps it, and a running daemon heeds it at once."""

from datetime import datetime

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType  # Dagster exports none of these
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData

from rustbucket_pipeline.control.code_server import LOCATION
from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.control.timetable import Timing

REPOSITORY = "__repository__"
"""What Dagster calls the one repository of a code location that names none."""


def repository_origin() -> RemoteRepositoryOrigin:
    """Our definitions, as Dagster's records name them, wherever they are served."""
    return RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(LOCATION), REPOSITORY)


def switch(instance: dg.DagsterInstance, job: Job, timing: Timing, now: datetime, *, on: bool) -> bool:
    """Switch the job's schedule; whether that changed anything."""
    origin = RemoteInstigatorOrigin(repository_origin(), job.name)
    state = instance.get_instigator_state(origin.get_id(), origin.get_selector().get_id())
    status = InstigatorStatus.RUNNING if on else InstigatorStatus.STOPPED
    was_on = timing.on if state is None or state.status is InstigatorStatus.DECLARED_IN_CODE else state.is_running
    if was_on == on:
        return False
    data = ScheduleInstigatorData(timing.cron, now.timestamp() if on else None)
    if state is None:
        instance.add_instigator_state(InstigatorState(origin, InstigatorType.SCHEDULE, status, data))
    else:
        instance.update_instigator_state(state.with_status(status).with_data(data))
    return True
