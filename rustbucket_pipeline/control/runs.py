"""Runs as Dagster records them: which windows are being built, and running a job here and now.

The definitions are found as Dagster itself finds them, by the module's name: this room lies below `definitions`.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, cast

import dagster as dg

from rustbucket_pipeline.control.jobs import CHAIN, Job
from rustbucket_pipeline.control.plan import Taker
from rustbucket_pipeline.control.timetable import Timing
from rustbucket_pipeline.errors import BadWindow, PermanentError
from rustbucket_pipeline.model.window import Window, window_of_key, windows_between

DEFINITIONS = "rustbucket_pipeline.definitions"

PARTITION = "dagster/partition"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"

ASKED_BY = "rustbucket/asked-by"
"""Run tag: the `Taker` who asked for it."""

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


QUIET: Mapping[str, object] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Nothing on the terminal: whoever runs a job here shows its progress in their own way."""


class _Lazy(Protocol):
    def __call__(self) -> dg.Definitions: ...


def load_definitions() -> dg.Definitions:
    """The project's definitions, loaded here."""
    return cast("_Lazy", importlib.import_module(DEFINITIONS).defs)()


def range_tags(first: Window, last: Window) -> dict[str, str]:
    """Run tags that name a range of windows, both ends included."""
    return {PARTITION: first.key} if first == last else {RANGE_START: first.key, RANGE_END: last.key}


def windows_of_tags(tags: Mapping[str, str], job: Job, start: datetime, end: datetime) -> list[Window]:
    """The windows in `[start, end)` that a run with these tags builds; none where they name no window."""
    if job.window is None:
        return []
    first, last = tags.get(RANGE_START) or tags.get(PARTITION), tags.get(RANGE_END) or tags.get(PARTITION)
    if first is None or last is None:
        return []
    try:
        begins, ends = window_of_key(first, job.window).start, window_of_key(last, job.window).end
    except (BadWindow, OverflowError):
        return []  # such a run fails by itself, and builds nothing
    return list(windows_between(max(begins, start), min(ends, end), job.window))


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The unfinished runs, and what they will build: windows by job. `healing`: how many the heal sensor asked for.

    `since`: when the oldest of them was made (UTC); None when there is none.
    """

    ids: frozenset[str]
    windows: frozenset[tuple[str, Window]]
    healing: int
    since: datetime | None


def unfinished(instance: dg.DagsterInstance, first: datetime, now: datetime) -> Unfinished:
    """The unfinished runs of our jobs, or of their assets; windows before `first` or after `now` don't count."""
    records = instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))
    windows = {
        (job.name, window)
        for record in records
        for job in CHAIN
        if record.dagster_run.job_name == job.name or targets(record.dagster_run, job)
        for window in windows_of_tags(record.dagster_run.tags, job, first, now)
    }
    healing = sum(record.dagster_run.tags.get(ASKED_BY) == Taker.HEAL for record in records)
    since = min((record.create_timestamp for record in records), default=None)
    ids = frozenset(record.dagster_run.run_id for record in records)
    return Unfinished(ids, frozenset(windows), healing, since.replace(tzinfo=UTC) if since else None)


def switched_off(instance: dg.DagsterInstance, timetable: Mapping[str, Timing]) -> frozenset[str]:
    """The jobs whose schedule is off: switched off in the UI, or by the timetable and never switched on there."""
    switched = {
        state.instigator_name: state.status.value
        for state in instance.all_instigator_state()
        if state.instigator_type.value == "SCHEDULE"
    }
    on = {
        name
        for name, timing in timetable.items()
        if switched.get(name) == "RUNNING" or (timing.on and switched.get(name) != "STOPPED")
    }
    return frozenset(timetable.keys() - on)


def targets(run: dg.DagsterRun, job: Job) -> tuple[str, ...]:
    """The job's assets that the run was asked for by name, as the UI and backfills do."""
    selected = {key.to_user_string() for key in run.asset_selection or ()}
    return tuple(asset for asset in job.assets if asset in selected)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the schedules' own jobs in this process; the runs show in the UI like any other."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance

    @classmethod
    def open(cls) -> "Runner":
        """The project's jobs, on the instance of `DAGSTER_HOME`."""
        return cls(load_definitions(), dg.DagsterInstance.get())

    def close(self) -> None:
        """Let go of the instance's connections."""
        self.instance.dispose()

    def run(self, job: Job, first: Window | None = None, last: Window | None = None) -> str:
        """Run the job over a range of windows, both ends included; the run's id.

        Raises:
            PermanentError: the run failed; the message says why.
        """
        tags = range_tags(first, last) if first and last else {}
        result = self.definitions.resolve_job_def(job.name).execute_in_process(
            instance=self.instance, partition_key=tags.get(PARTITION), tags=tags, raise_on_error=False, run_config=QUIET
        )
        if not result.success:
            reasons = "; ".join(reason_of(event) for event in result.get_step_failure_events())
            raise PermanentError(f"{job.name} failed: {reasons or 'no step failed'}; `rustbucket up` shows the run")
        return result.run_id


def reason_of(event: dg.DagsterEvent) -> str:
    """Why a step failed, in its own words."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    metadata = event.step_failure_data.user_failure_data
    text = metadata.description if metadata and metadata.description else error.message if error else "no reason given"
    return text.strip()[:500]
