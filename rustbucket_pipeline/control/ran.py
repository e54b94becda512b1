"""A job's runs as Dagster records them, in our words: which windows, how long, how many rows, why it failed.

Runs of the job by its name, and those that named its assets instead: Dagster's own commands and backfills. Reads only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice

import dagster as dg

from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.control.runs import (
    ASKED_BY,
    PARTITION,
    RANGE_END,
    RANGE_START,
    UNFINISHED,
    reason_of,
    targets,
)
from rustbucket_pipeline.model.text import bounded

ASSET_JOB = "__ASSET_JOB"
"""What Dagster calls the job of runs that name assets."""

FORCED = "rustbucket/forced"
"""Run tag: asked for whatever was due; it doesn't count as the job's own success."""

BY_HAND = "person"
"""`ASKED_BY` of runs that a person asked for; `WHO` names them."""

WHO = "rustbucket/by"

SCHEDULE = "dagster/schedule_name"
"""Run tag of Dagster's own."""

MOST_ASSET_RUNS = 500
"""How many of Dagster's own asset runs are looked through for a job's."""

LONGEST_REASON = 2000

_PAGE = 25
_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Ran:
    """A run. `status` is Dagster's word (`SUCCESS`, `FAILURE`, `QUEUED` …); times are UTC.

    `first` and `last` are the keys of its first and last window; None: of a job without windows. `asked_by` is
    `schedule`, `heal`, `person` or `dagster`, and `who` that person.
    """

    id: str
    status: str
    asked_by: str
    who: str | None
    forced: bool
    created: datetime
    started: datetime | None
    ended: datetime | None
    first: str | None
    last: str | None
    backfill: str | None

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs, or if it never began."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None

    @property
    def finished(self) -> bool:
        """Whether it has ended, however."""
        return dg.DagsterRunStatus(self.status) not in UNFINISHED


def runs_of(
    instance: dg.DagsterInstance, job: Job, statuses: Iterable[dg.DagsterRunStatus] | None = None
) -> Iterator[Ran]:
    """The job's runs, newest first, read as they are asked for."""
    wanted = list(statuses) if statuses is not None else None
    named = _records(instance, job.name, wanted)
    by_asset = (one for one in islice(_records(instance, ASSET_JOB, wanted), MOST_ASSET_RUNS) if _is_of(one, job))
    for record in merge(named, by_asset, key=lambda one: -one.storage_id):
        yield ran(record)


def unfinished_of(instance: dg.DagsterInstance, job: Job) -> list[Ran]:
    """The job's runs that haven't ended, newest first."""
    records = instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))
    return [ran(one) for one in records if one.dagster_run.job_name == job.name or _is_of(one, job)]


def scheduled_since(instance: dg.DagsterInstance, job: Job, since: datetime) -> Ran | None:
    """The newest run that its schedule asked for since then and that succeeded; None: there is none."""
    for run in runs_of(instance, job, [dg.DagsterRunStatus.SUCCESS]):
        if run.created < since:
            return None
        if run.asked_by == "schedule":
            return run
    return None


def run_by_id(instance: dg.DagsterInstance, run_id: str) -> Ran | None:
    """The run of that id, of whatever job."""
    record = instance.get_run_record_by_id(run_id)
    return ran(record) if record else None


def ran(record: dg.RunRecord) -> Ran:
    """A record of Dagster's, in our words."""
    run, tags = record.dagster_run, record.dagster_run.tags
    return Ran(
        id=run.run_id,
        status=run.status.value,
        asked_by=tags.get(ASKED_BY) or ("schedule" if SCHEDULE in tags else "dagster"),
        who=tags.get(WHO),
        forced=FORCED in tags,
        created=record.create_timestamp.replace(tzinfo=UTC),
        started=_moment(record.start_time),
        ended=_moment(record.end_time),
        first=tags.get(RANGE_START) or tags.get(PARTITION),
        last=tags.get(RANGE_END) or tags.get(PARTITION),
        backfill=tags.get("dagster/backfill"),
    )


def rows_of(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """The rows that the run says it wrote, all of its windows and assets together; None if it says of none."""
    counts = [
        int(value.value)
        for event in _events(instance, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
        for value in [event.materialization.metadata.get("dagster/row_count")]
        if isinstance(value, dg.IntMetadataValue) and value.value is not None
    ]
    return sum(counts) if counts else None


def error_of(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """Why the run failed, on one line; None if it didn't, or Dagster doesn't say.

    What a step said comes first; of a run whose process died, what Dagster found out.
    """
    reasons = {reason_of(event): None for event in _events(instance, run_id, dg.DagsterEventType.STEP_FAILURE)}
    if not reasons:
        failures = _events(instance, run_id, dg.DagsterEventType.RUN_FAILURE)
        reasons = {event.message: None for event in failures if event.message}
    return bounded("; ".join(" ".join(reason.split()) for reason in reasons), LONGEST_REASON) or None


def _events(instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType) -> Iterator[dg.DagsterEvent]:
    cursor, more = None, True
    while more:
        page = instance.get_records_for_run(run_id, cursor=cursor, of_type=kind, limit=_EVENTS)
        cursor, more = page.cursor, page.has_more
        for record in page.records:
            if event := record.event_log_entry.dagster_event:
                yield event


def _records(
    instance: dg.DagsterInstance, name: str, statuses: list[dg.DagsterRunStatus] | None
) -> Iterator[dg.RunRecord]:
    cursor = None
    while True:
        page = instance.get_run_records(dg.RunsFilter(job_name=name, statuses=statuses), limit=_PAGE, cursor=cursor)
        yield from page
        if len(page) < _PAGE:
            return
        cursor = page[-1].dagster_run.run_id


def _is_of(record: dg.RunRecord, job: Job) -> bool:
    return record.dagster_run.job_name == ASSET_JOB and bool(targets(record.dagster_run, job))


def _moment(timestamp: float | None) -> datetime | None:
    return datetime.fromtimestamp(timestamp, UTC) if timestamp else None
