"""Runs of the real jobs on a real Dagster instance: ranges, failures, keys, checks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, func, select

from rustbucket_pipeline.control.runs import QUIET, load_definitions, range_tags
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.tables import log_events, window_builds
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
FIRST, SECOND = Window(MIDNIGHT, HOUR), Window(MIDNIGHT + HOUR, HOUR)


@pytest.fixture
def home(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of a home whose only rustbucket left two hours of logs."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    return load_settings()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def fleet(home: Settings, database: Engine) -> Path:
    folder = home.home / "sources" / "one" / "instance"
    folder.mkdir(parents=True)
    for hour in (0, 1):
        log = folder / f"rustbucket.log.{MIDNIGHT:%Y-%m-%d}-{hour:02}"
        log.write_bytes(hour_of_lines(MIDNIGHT + hour * HOUR))
    with database.begin() as connection:
        entry = Entry(name="one", logs_url=folder.parent.as_uri())
        added = registry.add(connection, home, entry, MIDNIGHT)
        registry.approve(connection, added.id, MIDNIGHT)
    return folder


def run(instance: dg.DagsterInstance, job: str, first: Window, last: Window) -> dg.ExecuteInProcessResult:
    tags = range_tags(first, last)
    return (
        load_definitions()
        .resolve_job_def(job)
        .execute_in_process(
            instance=instance,
            partition_key=tags.get("dagster/partition"),
            tags=tags,
            run_config=QUIET,
            raise_on_error=False,
        )
    )


def archive_all(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    last = Window(SECOND.start + HALF_HOUR, HALF_HOUR)
    return run(instance, "archive_logs", Window(MIDNIGHT, HALF_HOUR), last)


def materialized(instance: dg.DagsterInstance, asset: str) -> set[str | None]:
    records = instance.fetch_materializations(dg.AssetKey(asset), limit=100).records
    return {record.partition_key for record in records}


def count(database: Engine) -> int:
    with database.connect() as connection:
        return connection.execute(select(func.count()).select_from(log_events)).scalar_one()


def test_a_range_run_reports_every_window_once_and_looks_at_the_promises(
    fleet: Path, instance: dg.DagsterInstance, database: Engine
) -> None:
    archived = archive_all(instance)
    assert archived.success
    assert len(materialized(instance, "log_archives")) == 4
    parsed = run(instance, "parse_logs", FIRST, SECOND)
    assert parsed.success
    assert materialized(instance, "parsed_logs") == {FIRST.key, SECOND.key}
    assert count(database) == 120
    passed = {check.check_name: check.passed for check in parsed.get_asset_check_evaluations()}
    checks = ("every_byte_accounted", "nothing_counts_twice", "quarantine_rate", "no_unknown_templates")
    assert passed == dict.fromkeys(checks, True)


def test_a_pull_for_one_window_reports_every_other_window_it_changed(fleet: Path, instance: dg.DagsterInstance) -> None:
    newest = Window(SECOND.start + HALF_HOUR, HALF_HOUR)
    assert run(instance, "archive_logs", newest, newest).success
    assert len(materialized(instance, "log_archives")) == 4


def test_one_window_that_fails_is_named_and_the_others_are_built(
    fleet: Path, home: Settings, instance: dg.DagsterInstance, database: Engine
) -> None:
    archive_all(instance)
    archive = open_archive(home)
    archive.delete(sorted(archive.keys("raw/"))[0])
    parsed = run(instance, "parse_logs", FIRST, SECOND)
    assert not parsed.success
    (failure,) = parsed.get_step_failure_events()
    assert FIRST.key in str(failure.step_failure_data.user_failure_data)
    assert SECOND.key not in str(failure.step_failure_data.user_failure_data)
    assert materialized(instance, "parsed_logs") == {SECOND.key}
    assert count(database) == 60


def test_a_key_off_the_border_builds_nothing_though_dagster_would_round_it_up(
    fleet: Path, instance: dg.DagsterInstance, database: Engine
) -> None:
    crooked = Window(MIDNIGHT + timedelta(minutes=7), HOUR)
    refused = run(instance, "parse_logs", crooked, crooked)
    assert not refused.success
    (failure,) = refused.get_step_failure_events()
    assert "border" in str(failure.step_failure_data.user_failure_data)
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(window_builds)).scalar_one() == 0
