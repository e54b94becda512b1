"""Of each job's log: how often it ran, how long that took, what failed; over days, compressed ones too."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rustbucket_pipeline.control.job_log import JobLog, Line
from rustbucket_pipeline.control.jobs import JOBS
from rustbucket_pipeline.control.log_summary import Failure, Summary, summaries

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Write = Callable[..., None]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def write(directory: Path) -> Write:
    log = JobLog(directory, compress_after=2, keep=None, secrets=())

    def add(at: datetime, run: str, message: str, level: str = "INFO", state: str | None = None) -> None:
        line = {"time": at, "level": level, "job": "parse_logs", "run": run, "message": message, "state": state}
        log.write(Line.model_validate(line))

    return add


def ran(write: Write, run: str, began: datetime, seconds: float, end: str = "succeeded") -> None:
    write(began, run, "run began", state="began")
    if end == "failed":
        write(began, run, "StoreUnavailable: the store is gone", "ERROR")
    write(began + timedelta(seconds=seconds), run, f"run {end}", "INFO" if end == "succeeded" else "ERROR", state=end)


def parse_logs(directory: Path, since: datetime) -> Summary:
    return next(one for one in summaries(directory, since) if one.job == "parse_logs")


def test_runs_are_counted_by_how_they_ended_with_what_they_took_and_why_the_last_one_failed(
    directory: Path, write: Write
) -> None:
    ran(write, "a", NOON, 2)
    ran(write, "b", NOON + timedelta(hours=1), 4)
    write(NOON + timedelta(hours=1), "b", "one was torn", "WARNING")
    ran(write, "c", NOON + timedelta(hours=2), 30, "failed")
    ran(write, "d", NOON + timedelta(hours=3), 1, "canceled")
    write(NOON + timedelta(hours=4), "e", "run began", state="began")
    found = parse_logs(directory, NOON)
    assert (found.runs, found.succeeded, found.failed, found.canceled, found.unfinished) == (5, 2, 1, 1, 1)
    assert (found.typical_seconds, found.longest_seconds) == (3.0, 30.0)
    assert (found.warnings, found.errors) == (1, 3)
    assert found.last_success == NOON + timedelta(hours=1, seconds=4)
    failed_at = NOON + timedelta(hours=2, seconds=30)
    assert found.last_failure == Failure("c", failed_at, "StoreUnavailable: the store is gone")


def test_only_runs_that_began_in_the_period_count_and_compressed_days_do_too(directory: Path, write: Write) -> None:
    for day in range(6):
        ran(write, f"r{day}", NOON + timedelta(days=day), 1)
    assert {path.suffix for path in directory.glob("parse_logs.2026-*")} == {".log", ".gz"}
    assert parse_logs(directory, NOON).runs == 6
    assert parse_logs(directory, NOON + timedelta(days=1, seconds=1)).runs == 4


def test_every_job_has_a_line_and_without_a_log_it_says_nothing_happened(directory: Path) -> None:
    found = summaries(directory, NOON)
    assert [one.job for one in found] == [job.name for job in JOBS]
    assert {(one.runs, one.typical_seconds, one.last_success) for one in found} == {(0, None, None)}
