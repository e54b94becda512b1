"""Runs of the real jobs on a real Dagster instance: ranges, failures, keys, checks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, func, select, text, update

from rustbucket_pipeline.control.runs import QUIET, load_definitions, range_tags
from rustbucket_pipeline.control.states import wrong_windows
from rustbucket_pipeline.events.build import forget_hour
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.tables import log_events, segments, window_builds
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
MISCOUNT = """
CREATE FUNCTION miscount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.events := NEW.events + (NEW.hour = TG_ARGV[0]::timestamptz)::int; RETURN NEW; END $$;
CREATE TRIGGER miscount BEFORE INSERT OR UPDATE ON hour_counts FOR EACH ROW EXECUTE FUNCTION miscount('HOUR')
"""
"""A database that counts one event too many in an hour."""

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
    kept = (
        "every_byte_accounted",
        "nothing_counts_twice",
        "quarantine_rate",
        "no_unknown_templates",
        "hours_accounted",
    )
    assert passed == {**dict.fromkeys(kept, True), "newest_windows_built": False}


def test_much_log_of_a_new_day_is_loaded_together_and_every_hour_reported(
    fleet: Path, instance: dg.DagsterInstance, database: Engine
) -> None:
    log = fleet / f"rustbucket.log.{MIDNIGHT:%Y-%m-%d}-00"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(line.replace(b"00Z", b"%02dZ" % nth) for line in lines for nth in range(100)) * 9)
    archive_all(instance)
    parsed = run(instance, "parse_logs", FIRST, SECOND)
    assert parsed.success
    records = instance.fetch_materializations(dg.AssetKey("parsed_logs"), limit=100).records
    told = {record.partition_key: record.asset_materialization.metadata for record in records}
    assert {key: (facts["loaded"].value, facts["dagster/row_count"].value) for key, facts in told.items()} == {
        FIRST.key: (0, 54_000),
        SECOND.key: (0, 60),
    }
    assert count(database) == 54_060


def test_a_blocking_check_that_fails_fails_the_run_and_holds_back_what_is_made_of_its_hour(
    fleet: Path, instance: dg.DagsterInstance, database: Engine
) -> None:
    archive_all(instance)
    with database.begin() as connection:
        connection.exec_driver_sql(MISCOUNT.replace("HOUR", SECOND.start.isoformat()))
    parsed = run(instance, "parse_logs", FIRST, SECOND)
    assert not parsed.success
    failed = {check.check_name for check in parsed.get_asset_check_evaluations() if not check.passed}
    assert "hours_accounted" in failed
    assert materialized(instance, "parsed_logs") == {FIRST.key, SECOND.key}
    with database.begin() as connection:
        assert wrong_windows(connection) == {("parsed_logs", SECOND): "hours_accounted"}
        connection.execute(text("DROP TRIGGER miscount ON hour_counts"))
        forget_hour(connection, SECOND)
    assert run(instance, "parse_logs", SECOND, SECOND).success
    with database.connect() as connection:
        assert wrong_windows(connection) == {}


def test_archived_windows_whose_chain_is_broken_are_held_back_until_it_is_whole(
    fleet: Path, instance: dg.DagsterInstance, database: Engine
) -> None:
    archive_all(instance)
    half = Window(SECOND.start, HALF_HOUR)
    mine = segments.c.window_start == half.start
    with database.begin() as connection:
        link = connection.execute(select(segments.c.previous_sha256).where(mine)).scalar_one()
        connection.execute(update(segments).where(mine).values(previous_sha256="another"))
    assert not run(instance, "archive_logs", half, half).success
    with database.begin() as connection:
        assert wrong_windows(connection) == {("log_archives", half): "windows_chained"}
        connection.execute(update(segments).where(mine).values(previous_sha256=link))
    assert run(instance, "archive_logs", half, half).success
    with database.connect() as connection:
        assert wrong_windows(connection) == {}


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
