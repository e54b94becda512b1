"""What upkeep is told of Dagster, from a real instance: runs, jobs that are late, heartbeats, logs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo
from sqlalchemy import Engine

from rustbucket_pipeline.control.runs import QUIET, load_definitions
from rustbucket_pipeline.control.seen import Seen
from rustbucket_pipeline.control.told import metadata_of, told_by
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings
from rustbucket_pipeline.upkeep.task import LONGEST_LINE, MOST_LINES, Told

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def seen(settings: Settings, database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    monkeypatch.setenv("HEALTH_CHECK_COMPONENTS", "disk")
    with dg.DagsterInstance.get() as instance:
        yield Seen(instance, database, settings)


def test_runs_their_words_and_their_logs_are_told_and_jobs_are_late_once_they_ran_before(seen: Seen) -> None:
    assert {job.overdue_since for job in seen.jobs(NOW + 30 * DAY)} == {None}
    job = load_definitions().resolve_job_def("health_report")
    done = job.execute_in_process(instance=seen.instance, run_config=QUIET)
    dry = {"ops": {"health_report__task": {"config": {"dry_run": True}}}}
    tried = job.execute_in_process(instance=seen.instance, run_config={**QUIET, **dry})
    told = told_by(seen.instance, done.run_id)
    assert told is not None
    assert (told.ok, told.figures["ok"]) == (True, 2)
    dry_told = told_by(seen.instance, tried.run_id)
    assert dry_told is not None
    assert dry_told.summary == told.summary
    assert seen.instance.get_latest_materialization_event(dg.AssetKey("health_report")).run_id == done.run_id  # type: ignore[union-attr]
    assert [(run.job, run.status) for run in seen.runs(NOW - DAY)] == [("health_report", "SUCCESS")] * 2
    assert list(seen.runs(datetime.now(UTC) + DAY)) == []
    assert any(told.summary in line.message for line in seen.log("health_report", 20))
    by_name = {job.name: job for job in seen.jobs(datetime.now(UTC) + DAY)}
    assert by_name["health_report"].overdue_since is not None
    assert by_name["health_report"].last_success is not None
    assert by_name["backup_verification"].overdue_since is None


def test_each_part_of_the_daemon_is_told_with_the_first_line_of_its_errors(seen: Seen) -> None:
    error = SerializableErrorInfo("ValueError: no\nmore of it\n", [], "ValueError")
    seen.instance.add_daemon_heartbeat(DaemonHeartbeat(NOW.timestamp(), "SENSOR", "id", [error]))
    beats = {beat.part: beat for beat in seen.heartbeats()}
    assert beats["sensor"].heard == NOW
    assert beats["sensor"].errors == ("ValueError: no",)
    assert beats["scheduler"].heard is None


def test_what_a_task_tells_is_bounded_and_escaped_on_its_way_to_dagster() -> None:
    told = Told("a\x1b[2Jb", {"n": 1}, tuple("x" * 1000 for _ in range(MOST_LINES + 5)), ok=False)
    metadata = metadata_of(told)
    assert metadata["summary"].value == r"a\x1b[2Jb"  # type: ignore[union-attr]
    lines = metadata["lines"].value  # type: ignore[union-attr]
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == "… and 5 lines more"
    assert max(map(len, lines)) <= LONGEST_LINE
