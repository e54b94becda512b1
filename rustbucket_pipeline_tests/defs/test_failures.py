"""Failed runs become alerts, one for each cause, and close when what failed is built: real runs, real ticks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import Engine, select

from rustbucket_pipeline.control.failed import Seen, failed_since
from rustbucket_pipeline.control.runs import QUIET, load_definitions, range_tags
from rustbucket_pipeline.events.build import forget_hour
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.builds import Build, record_build
from rustbucket_pipeline.storage.objects import Archive, open_archive
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines
from rustbucket_pipeline_tests.defs.test_runs import MISCOUNT

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
FIRST, SECOND = Window(MIDNIGHT, HOUR), Window(MIDNIGHT + HOUR, HOUR)


@dataclass
class Daemon:
    """Evaluates the sensor as Dagster's daemon does, and keeps its cursor."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    cursor: str | None = None

    def tick(self) -> str:
        resources: dict[str, Any] = {**(self.definitions.resources or {}), "clock": lambda: datetime.now(UTC)}
        context = dg.build_sensor_context(
            instance=self.instance,
            repository_def=self.definitions.get_repository_def(),
            resources=resources,
            cursor=self.cursor,
        )
        with context:
            done = self.definitions.resolve_sensor_def("failures").evaluate_tick(context)
        self.cursor = done.cursor
        return done.skip_message or ""

    def run(self, job: str, first: Window, last: Window) -> dg.ExecuteInProcessResult:
        tags = range_tags(first, last)
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=tags.get("dagster/partition"),
            tags=tags,
            run_config=QUIET,
            raise_on_error=False,
        )


@pytest.fixture
def home(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    return load_settings()


@pytest.fixture
def daemon(home: Settings, tmp_path: Path) -> Iterator[Daemon]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield Daemon(load_definitions(), instance)


@pytest.fixture
def archived(home: Settings, database: Engine, daemon: Daemon) -> Archive:
    """Two hours of logs of one rustbucket, archived."""
    folder = home.home / "sources" / "one" / "instance"
    folder.mkdir(parents=True)
    for hour in (0, 1):
        log = folder / f"rustbucket.log.{MIDNIGHT:%Y-%m-%d}-{hour:02}"
        log.write_bytes(hour_of_lines(MIDNIGHT + hour * HOUR))
    with database.begin() as connection:
        added = registry.add(connection, home, Entry(name="one", logs_url=folder.parent.as_uri()), MIDNIGHT)
        registry.approve(connection, added.id, MIDNIGHT)
    last = Window(SECOND.start + HALF_HOUR, HALF_HOUR)
    assert daemon.run("archive_logs", Window(MIDNIGHT, HALF_HOUR), last).success
    return open_archive(home)


def open_ones(database: Engine) -> list[tuple[str, str, int]]:
    with database.connect() as connection:
        query = select(alerts.c.kind, alerts.c.subject, alerts.c.count).where(alerts.c.closed_at.is_(None))
        return [tuple(row) for row in connection.execute(query.order_by(alerts.c.id))]


def cause_of(database: Engine) -> str:
    with database.connect() as connection:
        return connection.execute(select(alerts.c.cause).where(alerts.c.closed_at.is_(None))).scalar_one()


def test_a_window_that_fails_is_one_alert_with_a_count_closed_when_it_is_built(
    daemon: Daemon, archived: Archive, database: Engine
) -> None:
    key = sorted(archived.keys("raw/"))[0]
    lost = archived.get(key)
    archived.delete(key)
    assert not daemon.run("parse_logs", FIRST, SECOND).success
    assert daemon.tick() == "1 causes of failure last"
    ((kind, subject, count),) = open_ones(database)
    assert (kind, subject.partition(":")[0], count) == ("run_failed", "parse_logs", 1)
    assert FIRST.key in cause_of(database)
    assert SECOND.key not in cause_of(database)

    daemon.tick()
    assert not daemon.run("parse_logs", FIRST, FIRST).success
    daemon.tick()
    assert open_ones(database) == [(kind, subject, 2)]

    archived.put_new(key, lost)
    assert daemon.run("parse_logs", FIRST, FIRST).success
    daemon.tick()
    assert open_ones(database) == []
    with database.connect() as connection:
        assert connection.execute(select(alerts.c.closed_by)).scalars().all() == ["built after all"]


def test_what_was_built_before_anybody_looked_opens_no_alert(
    daemon: Daemon, archived: Archive, database: Engine
) -> None:
    key = sorted(archived.keys("raw/"))[0]
    lost = archived.get(key)
    archived.delete(key)
    daemon.run("parse_logs", FIRST, FIRST)
    archived.put_new(key, lost)
    daemon.run("parse_logs", FIRST, FIRST)
    assert daemon.tick() == "0 causes of failure last"
    with database.connect() as connection:
        assert connection.execute(select(alerts)).all() == []


def vanished(daemon: Daemon, job: str, tags: dict[str, str]) -> dg.DagsterRun:
    """A run whose process was killed, ended by run monitoring."""
    run = create_run_for_test(daemon.instance, job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    daemon.instance.report_run_failed(run, "Detected run worker status FAILED: 'its process 7 is gone'.")
    return run


def build(database: Engine, window: Window, now: datetime) -> None:
    with database.begin() as connection:
        record_build(connection, Build("parsed_logs", window, "inputs", "rows", "1", None), now)


def test_a_run_that_vanished_is_a_zombie_until_its_windows_are_built(daemon: Daemon, database: Engine) -> None:
    build(database, FIRST, datetime.now(UTC) - timedelta(hours=1))
    vanished(daemon, "parse_logs", range_tags(FIRST, SECOND))
    daemon.tick()
    assert open_ones(database) == [("zombie_run", "parse_logs: process gone", 1)]
    assert "its process 7 is gone" in cause_of(database)
    build(database, FIRST, datetime.now(UTC))
    daemon.tick()
    assert len(open_ones(database)) == 1
    build(database, SECOND, datetime.now(UTC))
    daemon.tick()
    assert open_ones(database) == []


def test_what_the_run_had_built_when_it_vanished_isn_t_missed(daemon: Daemon, database: Engine) -> None:
    run = create_run_for_test(
        daemon.instance, "parse_logs", status=dg.DagsterRunStatus.STARTED, tags=range_tags(FIRST, SECOND)
    )
    build(database, FIRST, datetime.now(UTC))
    daemon.instance.report_run_failed(run, "gone")
    daemon.tick()
    assert SECOND.key in cause_of(database)
    assert FIRST.key not in cause_of(database)


def test_a_job_without_windows_is_well_again_with_its_next_success(daemon: Daemon, database: Engine) -> None:
    vanished(daemon, "poll_fleet", {})
    daemon.tick()
    assert open_ones(database) == [("zombie_run", "poll_fleet: process gone", 1)]
    assert (
        daemon.definitions.resolve_job_def("poll_fleet")
        .execute_in_process(instance=daemon.instance, run_config=QUIET)
        .success
    )
    daemon.tick()
    assert open_ones(database) == []


def test_each_failed_run_counts_once_however_many_there_are_per_look(daemon: Daemon) -> None:
    runs = [vanished(daemon, "parse_logs", range_tags(FIRST, FIRST)).run_id for _ in range(5)]
    seen, found = Seen(MIDNIGHT), list[str]()
    for _ in range(4):
        failed, seen = failed_since(daemon.instance, seen, MIDNIGHT, most=2)
        found += [one.run_id for one in failed]
    assert found == runs


def test_many_runs_that_fail_for_one_cause_are_one_alert(daemon: Daemon, database: Engine) -> None:
    for hour in (FIRST, SECOND, FIRST):
        vanished(daemon, "parse_logs", range_tags(hour, hour))
    for _ in range(3):
        daemon.tick()
    assert open_ones(database) == [("zombie_run", "parse_logs: process gone", 3)]


def test_a_crooked_cursor_does_no_harm(daemon: Daemon, database: Engine) -> None:
    vanished(daemon, "parse_logs", range_tags(FIRST, FIRST))
    daemon.cursor = "somebody else's"
    daemon.tick()
    assert len(open_ones(database)) == 1


def test_what_can_t_be_opened_is_named_and_such_a_run_isn_t_started_again(
    daemon: Daemon, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = Window(MIDNIGHT, HALF_HOUR)
    with monkeypatch.context() as patch:
        patch.setenv("RUSTBUCKET_ARCHIVE_URL", "ftp://nowhere")
        failed = daemon.run("archive_logs", half, half)
    assert not failed.success
    daemon.tick()
    assert open_ones(database) == [("run_failed", "archive_logs: ConfigurationError", 1)]
    assert "RUSTBUCKET_ARCHIVE_URL" in cause_of(database)
    run = daemon.instance.get_run_by_id(failed.run_id)
    assert run
    assert run.tags["dagster/max_retries"] == "0"
    assert daemon.run("archive_logs", half, half).success
    daemon.tick()
    assert open_ones(database) == []


def test_an_hour_that_a_blocking_check_finds_wrong_is_an_alert_until_it_passes(
    daemon: Daemon, archived: Archive, database: Engine
) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql(MISCOUNT.replace("HOUR", SECOND.start.isoformat()))
    assert not daemon.run("parse_logs", FIRST, SECOND).success
    daemon.tick()
    assert open_ones(database) == [("run_failed", "parse_logs: blocking check", 1)]
    assert SECOND.key in cause_of(database)
    assert FIRST.key not in cause_of(database)
    with database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER miscount ON hour_counts")
        forget_hour(connection, SECOND)
    assert daemon.run("parse_logs", SECOND, SECOND).success
    daemon.tick()
    assert open_ones(database) == []
