"""Runs as Dagster records them: which windows are being built, and running a job here and now.

The definitions are found as Dagster itself finds them, by the module's name: this room lies below `definitions`.
"""

import importlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
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
            reasons = "; ".join(_reason(event) for event in result.get_step_failure_events())
            raise PermanentError(f"{job.name} failed: {reasons or 'no step failed'}; `rustbucket up` shows the run")
        return result.run_id


def _reason(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    metadata = event.step_failure_data.user_failure_data
    text = metadata.description if metadata and metadata.description else error.message if error else "no reason given"
    return text.strip()[:500]
