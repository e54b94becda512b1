"""When a job last succeeded: by its own runs, by Dagster's asset runs, by what people said; never by forced ones."""

from datetime import UTC, datetime
from uuid import uuid4

import dagster as dg
import pytest

from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, PARSE_LOGS, SIGN_ARCHIVE, Job
from rustbucket_pipeline.control.marks import forget_job, mark_job
from rustbucket_pipeline.control.ran import ASSET_JOB, FORCED, ran, runs_of, unfinished_of
from rustbucket_pipeline.control.success import last_counted, last_success
from rustbucket_pipeline.errors import UsageError

SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE


def note(
    instance: dg.DagsterInstance,
    job: Job | str,
    status: dg.DagsterRunStatus = SUCCESS,
    assets: tuple[str, ...] = (),
    **tags: str,
) -> datetime:
    """A run of that job, and when it was made."""
    name = job if isinstance(job, str) else job.name
    selection = frozenset(dg.AssetKey(asset) for asset in assets) or None
    run = dg.DagsterRun(job_name=name, run_id=str(uuid4()), status=status, tags=tags, asset_selection=selection)
    instance.add_run(run)
    record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    return ran(record).created


def test_a_job_that_never_ran_has_no_last_success(instance: dg.DagsterInstance) -> None:
    assert last_success(instance, SIGN_ARCHIVE) is None


def test_the_newest_success_counts_whatever_failed_since(instance: dg.DagsterInstance) -> None:
    note(instance, SIGN_ARCHIVE)
    newest = note(instance, SIGN_ARCHIVE)
    note(instance, SIGN_ARCHIVE, FAILURE)
    note(instance, ARCHIVE_LOGS)
    assert last_success(instance, SIGN_ARCHIVE) == newest


def test_a_forced_run_is_no_success_of_the_job_s_own(instance: dg.DagsterInstance) -> None:
    own = note(instance, SIGN_ARCHIVE)
    note(instance, SIGN_ARCHIVE, **{FORCED: "true"})
    assert last_success(instance, SIGN_ARCHIVE) == own
    assert next(runs_of(instance, SIGN_ARCHIVE)).forced


def test_a_run_that_dagster_made_of_the_job_s_assets_counts(instance: dg.DagsterInstance) -> None:
    note(instance, SIGN_ARCHIVE)
    newest = note(instance, ASSET_JOB, assets=("archive_manifest",))
    note(instance, ASSET_JOB, assets=("parsed_logs",))
    assert last_success(instance, SIGN_ARCHIVE) == newest
    assert len(list(runs_of(instance, SIGN_ARCHIVE))) == 2


def test_runs_come_newest_first_over_many_pages(instance: dg.DagsterInstance) -> None:
    times = [note(instance, PARSE_LOGS if number % 3 else ASSET_JOB, assets=("parsed_logs",)) for number in range(120)]
    assert [run.created for run in runs_of(instance, PARSE_LOGS)] == sorted(times, reverse=True)


def test_a_job_marked_as_done_succeeded_then_until_it_is_reset(instance: dg.DagsterInstance) -> None:
    run = note(instance, SIGN_ARCHIVE)
    mark_job(instance, SIGN_ARCHIVE, "ann", "signed elsewhere")
    marked = last_success(instance, SIGN_ARCHIVE)
    assert marked is not None
    assert marked > run
    forget_job(instance, SIGN_ARCHIVE, "ann")
    assert last_success(instance, SIGN_ARCHIVE) is None
    assert last_counted(instance, SIGN_ARCHIVE) is not None
    later = note(instance, SIGN_ARCHIVE)
    assert last_success(instance, SIGN_ARCHIVE) == later <= datetime.now(UTC)


def test_a_job_is_marked_with_a_reason_only(instance: dg.DagsterInstance) -> None:
    with pytest.raises(UsageError, match="--reason"):
        mark_job(instance, SIGN_ARCHIVE, "ann", "")


def test_what_is_under_way_is_told_with_its_windows(instance: dg.DagsterInstance) -> None:
    window = {"dagster/partition": "2026-03-02-00:00"}
    note(instance, PARSE_LOGS, dg.DagsterRunStatus.STARTED, **window)
    note(instance, ASSET_JOB, dg.DagsterRunStatus.STARTING, ("parsed_logs",))
    note(instance, PARSE_LOGS)
    starting, started = unfinished_of(instance, PARSE_LOGS)
    assert (starting.status, started.status, started.first, started.last) == (
        "STARTING",
        "STARTED",
        "2026-03-02-00:00",
        "2026-03-02-00:00",
    )


def test_who_asked_for_a_run_is_told(instance: dg.DagsterInstance) -> None:
    note(instance, SIGN_ARCHIVE)
    note(instance, SIGN_ARCHIVE, **{"dagster/schedule_name": "sign_archive"})
    note(instance, SIGN_ARCHIVE, **{"rustbucket/asked-by": "person", "rustbucket/by": "ann"})
    told = [(run.asked_by, run.who) for run in runs_of(instance, SIGN_ARCHIVE)]
    assert told == [("person", "ann"), ("schedule", None), ("dagster", None)]
