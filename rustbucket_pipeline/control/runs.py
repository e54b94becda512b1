"""Runs as Dagster records them: which windows are being built, and running a job here and now.

The definitions are found as Dagster itself finds them, by the module's name: this room lies below `definitions`."""

import importlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, cast

import dagster as dg

from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.errors import PermanentError
from rustbucket_pipeline.model.window import Window, window_of_key, windows_between

DEFINITIONS = "rustbucket_pipeline.definitions"

PARTITION = "dagster/partition"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class _Lazy(Protocol):
    def __call__(self) -> dg.Definitions: ...


def load_definitions() -> dg.Definitions:
    """The project's definitions, loaded here."""
    return cast(_Lazy, importlib.import_module(DEFINITIONS).defs)()


def range_tags(first: Window, last: Window) -> dict[str, str]:
    """Run tags that name a range of windows, both ends included."""
    return {PARTITION: first.key} if first == last else {RANGE_START: first.key, RANGE_END: last.key}


def windows_of_tags(tags: Mapping[str, str], job: Job) -> list[Window]:
    """The windows a run with these tags builds."""
    if job.window is None:
        return []
    first = tags.get(RANGE_START) or tags.get(PARTITION)
    last = tags.get(RANGE_END) or tags.get(PARTITION)
    if first is None or last is None:
        return []
    end = window_of_key(last, job.window).end
    return list(windows_between(window_of_key(first, job.window).start, end, job.window))


def busy_windows(instance: dg.DagsterInstance, job: Job) -> list[Window]:
    """The windows that unfinished runs of the job, or of its assets, are building or will build."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    concerned = (run for run in runs if run.job_name == job.name or _targets(run, job))
    return [window for run in concerned for window in windows_of_tags(run.tags, job)]


def failures_since(instance: dg.DagsterInstance, job: Job, since: datetime) -> Counter[Window]:
    """How often runs of the job failed per window since then."""
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], job_name=job.name, created_after=since)
    return Counter(window for run in instance.get_runs(failed) for window in windows_of_tags(run.tags, job))


def _targets(run: dg.DagsterRun, job: Job) -> bool:
    selection = run.asset_selection or frozenset()
    return any(key.to_user_string() in job.assets for key in selection)


def run_here(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job: Job, first: Window, last: Window
) -> dg.ExecuteInProcessResult:
    """Run the schedules' own job over a range of windows in this process; the run shows in the UI like any other.

    Raises:
        PermanentError: the run failed; the message says why.
    """
    tags = range_tags(first, last)
    result = definitions.resolve_job_def(job.name).execute_in_process(
        instance=instance, partition_key=tags.get(PARTITION), tags=tags, raise_on_error=False
    )
    if not result.success:
        reasons = [event.step_failure_data.error_display_string for event in result.get_step_failure_events()]
        raise PermanentError(f"{job.name} failed: {'; '.join(reasons)[:2000]}; `rustbucket up` shows the run")
    return result
