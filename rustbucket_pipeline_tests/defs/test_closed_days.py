"""A backfill of days that are frozen or expired, as the UI launches it: it fails, says what to do, changes nothing."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from rustbucket_pipeline.control.runs import QUIET, load_definitions, range_tags
from rustbucket_pipeline.control.states import stale_windows
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.closed_days import note_closed
from rustbucket_pipeline.storage.freezing import freeze_day
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
DAY = MIDNIGHT.date()


@pytest.fixture
def home(settings: Settings, database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of a home whose only rustbucket left an hour of logs."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    folder = settings.home / "sources" / "one" / "instance"
    folder.mkdir(parents=True)
    (folder / f"rustbucket.log.{MIDNIGHT:%Y-%m-%d}-00").write_bytes(hour_of_lines(MIDNIGHT))
    with database.begin() as connection:
        added = registry.add(connection, settings, Entry(name="one", logs_url=folder.parent.as_uri()), MIDNIGHT)
        registry.approve(connection, added.id, MIDNIGHT)
    return load_settings()


def launched(instance: dg.DagsterInstance, job: str, length: timedelta, windows: int) -> dg.ExecuteInProcessResult:
    tags = range_tags(Window(MIDNIGHT, length), Window(MIDNIGHT + (windows - 1) * length, length))
    chosen = load_definitions().resolve_job_def(job)
    partition = tags.get("dagster/partition")
    return chosen.execute_in_process(
        instance=instance, partition_key=partition, tags=tags, run_config=QUIET, raise_on_error=False
    )


def rows_of(engine: Engine) -> dict[str, list[str]]:
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    with engine.connect() as connection:
        names = connection.execute(text(tables)).scalars().all()
        return {name: sorted(connection.execute(text(f"SELECT x::text FROM {name} AS x")).scalars()) for name in names}


def test_a_backfill_of_a_frozen_or_expired_day_changes_nothing_and_names_the_way_out(
    home: Settings, database: Engine
) -> None:
    jobs = [("archive_logs", HALF_HOUR, 2), ("parse_logs", HOUR, 2), ("analyse_windows", FOUR_HOURS, 1)]
    with dg.DagsterInstance.ephemeral() as instance:
        for job in jobs:
            assert launched(instance, *job).success, job
        now = datetime.now(UTC)
        freeze_day(database, open_archive(home), home, DAY, now)
        for state in ("frozen", "expired"):
            if state == "expired":
                with database.begin() as connection:
                    note_closed(connection, DAY, "expired", now)
            before = rows_of(database)
            for job in jobs:
                result = launched(instance, *job)
                assert not result.success
                told = [
                    event.message + str(event.event_specific_data) for event in result.all_events if event.is_failure
                ]
                assert any(f"{DAY} is {state}" in one and f"rustbucket archive thaw {DAY}" in one for one in told), told
            assert rows_of(database) == before


def test_no_window_of_a_closed_day_is_due(home: Settings, database: Engine) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        launched(instance, "archive_logs", HALF_HOUR, 2)
    now = MIDNIGHT + timedelta(days=1)
    with database.begin() as connection:
        assert len(stale_windows(connection, "parsed_logs", MIDNIGHT, now)) == 1
        assert len(stale_windows(connection, "log_archives", MIDNIGHT, now)) == 46
        note_closed(connection, DAY, "frozen", now)
        assert stale_windows(connection, "parsed_logs", MIDNIGHT, now) == []
        assert stale_windows(connection, "log_archives", MIDNIGHT, now) == []
        note_closed(connection, DAY, "thawed", now)
        assert len(stale_windows(connection, "parsed_logs", MIDNIGHT, now)) == 1
