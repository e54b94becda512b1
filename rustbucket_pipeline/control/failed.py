"""Runs that failed, as Dagster records them: of which job and windows, and for which cause. Reads only.

What is noted of them and who is told: `failures.py`. A cause is a name, few and the same each time, and why in words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import dagster as dg
from dagster._core.events import JobFailureData  # Dagster exports these types nowhere else
from dagster_shared.error import SerializableErrorInfo

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.control.jobs import JOBS, Job
from rustbucket_pipeline.control.runs import targets, windows_of_tags
from rustbucket_pipeline.errors import BadWindow, RustbucketError
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import Window, window_of_key

CAUSES = "rustbucket/causes"
"""Metadata of a failure: by window (or ``""`` for all of them) what the cause is called, and why."""

MOST = 100
"""Runs looked at per tick."""

LATE = timedelta(minutes=1)
"""How much later than its time a run's record may become visible."""

LONGEST_NAME, LONGEST_WHY = 100, 500

REASON = "dagster/failure_reason"
_BY_ITSELF = {"STEP_FAILURE", "RUN_EXCEPTION", "JOB_INITIALIZATION_FAILURE"}
"""Reasons that the run's own process told; without one of them, it was ended or vanished."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What a run failed to build, for which cause and why; without a window or an asset, where it is of none of ours.

    `began` and `at`, when it began and failed, are UTC.
    """

    run_id: str
    job: str
    asset: str
    window: Window | None
    kind: Kind
    cause: str
    why: str
    began: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """Up to when (UTC) the failures are known, and the runs since shortly before: a record may become visible late."""

    until: datetime
    runs: frozenset[str] = frozenset()


def failed_since(
    instance: dg.DagsterInstance, seen: Seen, first: datetime, most: int = MOST
) -> tuple[list[Failed], Seen]:
    """What failed in the next so many runs that weren't seen, oldest first, and what is seen then.

    Windows before `first` don't count.
    """
    failures = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=seen.until - LATE)
    limit = most + len(seen.runs)
    records = instance.get_run_records(failures, limit=limit, order_by="update_timestamp", ascending=True)
    new = [record for record in records if record.dagster_run.run_id not in seen.runs]
    found = [failed for record in new for failed in _failed(instance, record, first)]
    until = max([seen.until, *(record.update_timestamp.replace(tzinfo=UTC) for record in new)])
    late = {r.dagster_run.run_id for r in records if r.update_timestamp.replace(tzinfo=UTC) > until - LATE}
    return found, Seen(until, frozenset(late))


def succeeded_at(instance: dg.DagsterInstance, job: str) -> datetime | None:
    """When the newest run of the job that succeeded ended (UTC); None: none did."""
    successes = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
    (record, *_) = [*instance.get_run_records(successes, limit=1), None]
    return datetime.fromtimestamp(record.end_time, UTC) if record and record.end_time else None


def _failed(instance: dg.DagsterInstance, record: dg.RunRecord, first: datetime) -> Iterator[Failed]:
    run = record.dagster_run
    job = next((job for job in JOBS if job.name == run.job_name or targets(run, job)), None)
    began, at = (_moment(seconds, record) for seconds in (record.start_time, record.end_time))
    asked = windows_of_tags(run.tags, job, first, at) if job else []
    kind = Kind.RUN_FAILED if run.tags.get(REASON) in _BY_ITSELF else Kind.ZOMBIE_RUN
    name, assets = (job.name, targets(run, job) or job.assets) if job else (run.job_name, ("",))
    for key, (cause, why) in _causes(instance, run, kind).items():
        named = _window(job, key)
        for window in [named] if named else asked or [None]:
            for asset in assets if window else ("",):
                yield Failed(run.run_id, name, asset, window, kind, cause, why, began, at)


def _moment(seconds: float | None, record: dg.RunRecord) -> datetime:
    return datetime.fromtimestamp(seconds, UTC) if seconds else record.create_timestamp.replace(tzinfo=UTC)


def _causes(instance: dg.DagsterInstance, run: dg.DagsterRun, kind: Kind) -> dict[str, tuple[str, str]]:
    """By window, what the cause is called and why. Runs that vanished tell none."""
    if kind is Kind.ZOMBIE_RUN:
        return {"": ("process gone", _last_word(instance, run.run_id))}
    found: dict[str, tuple[str, str]] = {}
    steps = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    for record in steps:
        event = record.event_log_entry.dagster_event
        if event is not None:
            found |= _told(event)
    return found or {"": _of_run(instance, run)}


def _told(event: dg.DagsterEvent) -> dict[str, tuple[str, str]]:
    failure = event.step_failure_data.user_failure_data
    told = failure.metadata.get(CAUSES) if failure else None
    if isinstance(told, dg.JsonMetadataValue) and isinstance(told.data, Mapping):
        return {
            str(key): (bounded(str(name), LONGEST_NAME), bounded(str(why), LONGEST_WHY))
            for key, (name, why) in told.data.items()
        }
    return {"": _named(event.step_failure_data.error)}


def _of_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[str, str]:
    """Why a run failed of which no step did: what it needs couldn't be opened, for one."""
    event = _end_of(instance, run.run_id)
    error = event.event_specific_data.error if event and isinstance(event.event_specific_data, JobFailureData) else None
    return _named(error) if error else (run.tags[REASON].lower().replace("_", " "), _last_word(instance, run.run_id))


def _named(error: SerializableErrorInfo | None) -> tuple[str, str]:
    """An error of ours with its message; of any other only the name, for its message could hold anything."""
    name, why = "unknown", "outside of what our own code tells; the run's log has more"
    while error is not None:
        name = error.cls_name or name
        if name == "DagsterAssetCheckFailedError":
            return "blocking check", "what was built doesn't keep a promise; nothing is made of it until it does"
        if name in _ours():
            return name, bounded(error.message.partition(": ")[2].strip(), LONGEST_WHY)
        error = error.cause
    return bounded(name, LONGEST_NAME), why


@cache
def _ours(root: type[RustbucketError] = RustbucketError) -> frozenset[str]:
    return frozenset({root.__name__}).union(*(_ours(below) for below in root.__subclasses__()))


def _end_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterEvent | None:
    ends = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.RUN_FAILURE, limit=1).records
    return ends[0].event_log_entry.dagster_event if ends else None


def _last_word(instance: dg.DagsterInstance, run_id: str) -> str:
    """Why Dagster ended the run, in its own words."""
    event = _end_of(instance, run_id)
    return bounded((event.message if event else None) or "it said nothing", LONGEST_WHY)


def _window(job: Job | None, key: str) -> Window | None:
    try:
        return window_of_key(key, job.window) if key and job and job.window else None
    except BadWindow:
        return None
