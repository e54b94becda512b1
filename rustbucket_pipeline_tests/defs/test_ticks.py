"""Ticks of the schedules and the heal sensor, evaluated as the daemon does, on a real database."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from sqlalchemy import Engine, delete, select

from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, JOBS, PARSE_LOGS, Job
from rustbucket_pipeline.control.plan import PAUSES, SETTLED
from rustbucket_pipeline.control.reported import SLACK
from rustbucket_pipeline.control.runs import load_definitions, range_tags
from rustbucket_pipeline.control.states import CODE_VERSIONS, note_wrong
from rustbucket_pipeline.model.window import (
    FOUR_HOURS,
    HALF_HOUR,
    HOUR,
    Window,
    window_at,
    window_of_key,
    windows_between,
)
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.builds import (
    EMPTY,
    Build,
    Versions,
    inputs_version_from,
    record_build,
    record_builds,
    versions_between,
)
from rustbucket_pipeline.storage.tables import window_builds
from rustbucket_pipeline_tests.defs.daemon import Daemon, Requests

NOW = datetime.now(UTC).replace(minute=11, second=0, microsecond=0) - timedelta(days=5)
"""Some days ago: the tests go on from there, and Dagster knows no partition that is still to come."""

HOURS_AGO = {hours: Window(NOW.replace(minute=0) - timedelta(hours=hours), HOUR) for hours in range(60)}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def instance(storage: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """An instance without any history."""
    yield storage
    storage.wipe()
    storage.wipe_all_schedules()


@pytest.fixture
def daemon(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> Daemon:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("RUSTBUCKET_SINCE", (NOW - timedelta(days=3)).isoformat())
    return Daemon(load_definitions(), instance, NOW)


@pytest.fixture
def archived(database: Engine) -> None:
    """Every half hour of the last three days was archived; of the hours 1, 3, 4 and 30 ago nothing was parsed yet."""
    start = NOW.replace(hour=0, minute=0) - timedelta(days=3)
    halves = windows_between(start, window_at(NOW, HALF_HOUR).start, HALF_HOUR)
    left = {HOURS_AGO[hours] for hours in (1, 3, 4, 30)}
    hours = [hour for hour in windows_between(start, HOURS_AGO[0].start, HOUR) if hour not in left]
    with database.begin() as connection:
        outputs = ((half, "v" if half.start >= HOURS_AGO[59].start else EMPTY) for half in halves)
        record_builds(connection, [Build("log_archives", half, "asked", out, "1", None) for half, out in outputs], NOW)
        archives = versions_between(connection, "log_archives", start, NOW)
        record_builds(connection, [built(hour, archives) for hour in hours], NOW)


def built(hour: Window, archives: Mapping[datetime, Versions], run_id: str | None = None) -> Build:
    code = CODE_VERSIONS["parsed_logs"]
    inputs = inputs_version_from("parsed_logs", hour, code, archives)
    return Build("parsed_logs", hour, inputs, f"rows of {inputs}", code, run_id)


def build_hours(database: Engine, hours: Iterable[int], now: datetime = NOW, run_id: str | None = None) -> Build:
    """Build the hours so long ago from what is archived; the last of the builds."""
    with database.begin() as connection:
        archives = versions_between(connection, "log_archives", NOW - timedelta(days=4), NOW)
        builds = [built(HOURS_AGO[one], archives, run_id) for one in hours]
        record_builds(connection, builds, now)
    return builds[-1]


def archive_late(database: Engine, hour: Window, now: datetime, output: str = "late") -> None:
    with database.begin() as connection:
        half = Window(hour.start, HALF_HOUR)
        record_build(connection, Build("log_archives", half, "asked", output, "1", None), now)


def asked(requests: Requests) -> list[tuple[str | None, str | None]]:
    return [
        (
            request.tags.get("dagster/asset_partition_range_start", request.partition_key),
            request.tags.get("dagster/asset_partition_range_end", request.partition_key),
        )
        for request in requests
    ]


def alone(hours: int) -> tuple[str, str]:
    return HOURS_AGO[hours].key, HOURS_AGO[hours].key


def note_run(
    instance: dg.DagsterInstance, job: Job, tags: dict[str, str], status: dg.DagsterRunStatus
) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun(job_name=job.name, run_id=str(uuid4()), tags=tags, status=status))


@pytest.mark.usefixtures("archived")
def test_the_hourly_tick_takes_the_hour_that_is_over_and_late_data_of_its_last_day(
    daemon: Daemon, database: Engine
) -> None:
    archive_late(database, HOURS_AGO[10], NOW)
    archive_late(database, HOURS_AGO[11], NOW)
    archive_late(database, HOURS_AGO[40], NOW)
    requests = daemon.asks(PARSE_LOGS)
    assert asked(requests) == [(HOURS_AGO[11].key, HOURS_AGO[10].key), alone(1)]
    assert {request.tags["rustbucket/asked-by"] for request in requests} == {"schedule"}


@pytest.mark.usefixtures("archived")
def test_what_is_older_than_a_day_and_what_its_tick_missed_is_healed_newest_day_first(daemon: Daemon) -> None:
    runs = [windows_of([request], HOUR) for request in daemon.heals(PARSE_LOGS)]
    assert set().union(*runs) == {HOURS_AGO[hours].key for hours in (3, 4, 30)}
    days = [min(run)[:10] for run in runs]
    assert days == sorted(days, reverse=True)


@pytest.mark.usefixtures("archived")
def test_whoever_ticks_second_asks_for_nothing_that_was_just_asked_for(daemon: Daemon, database: Engine) -> None:
    first = asked(daemon.asks(PARSE_LOGS)) + asked(daemon.heals(PARSE_LOGS))
    assert first
    daemon.now += SETTLED - timedelta(seconds=1)
    assert daemon.asks(PARSE_LOGS) == []
    assert daemon.heals(PARSE_LOGS) == []


def test_a_tick_with_nothing_due_says_so(daemon: Daemon) -> None:
    result = daemon.tick(PARSE_LOGS)
    assert not result.run_requests
    assert "nothing is due" in (result.skip_message or "")


@pytest.mark.usefixtures("archived")
def test_the_half_hourly_tick_takes_the_newest_half_hour_that_is_over_whatever_is_built(daemon: Daemon) -> None:
    newest = Window(window_at(NOW, HALF_HOUR).start - HALF_HOUR, HALF_HOUR)
    assert asked(daemon.asks(ARCHIVE_LOGS)) == [(newest.key, newest.key)]


@pytest.mark.usefixtures("archived")
def test_a_pull_that_finds_nothing_new_launches_nothing_downstream(daemon: Daemon, database: Engine) -> None:
    build_hours(database, (1, 3, 4, 30))
    archive_late(database, HOURS_AGO[5], NOW + SETTLED, output="v")
    daemon.now += SETTLED
    assert daemon.asks(PARSE_LOGS) == []
    assert daemon.heals(PARSE_LOGS) == []


@pytest.mark.usefixtures("archived")
def test_one_late_record_of_any_age_rebuilds_exactly_its_hour(daemon: Daemon, database: Engine) -> None:
    build_hours(database, (1, 3, 4, 30))
    archive_late(database, HOURS_AGO[50], NOW)
    assert daemon.asks(PARSE_LOGS) == []
    assert asked(daemon.heals(PARSE_LOGS)) == [alone(50)]


@pytest.mark.usefixtures("archived")
def test_a_window_that_a_run_is_building_is_not_asked_for(daemon: Daemon) -> None:
    tags = range_tags(HOURS_AGO[4], HOURS_AGO[1])
    note_run(daemon.instance, PARSE_LOGS, tags, dg.DagsterRunStatus.STARTED)
    assert daemon.asks(PARSE_LOGS) == []
    assert asked(daemon.heals(PARSE_LOGS)) == [alone(30)]


@pytest.mark.usefixtures("archived")
def test_a_run_with_a_crooked_key_stops_nobody(daemon: Daemon) -> None:
    note_run(daemon.instance, PARSE_LOGS, {"dagster/partition": "yesterday"}, dg.DagsterRunStatus.STARTED)
    assert asked(daemon.asks(PARSE_LOGS)) == [alone(1)]


@pytest.mark.usefixtures("archived")
def test_a_window_that_fails_is_tried_after_pauses_then_alerted_once_then_tried_daily(
    daemon: Daemon, database: Engine
) -> None:
    build_hours(database, (1, 3, 4))
    assert heals_soon(daemon, HOURS_AGO[30])
    day = timedelta(days=1)
    for pause, alerted in ((PAUSES[0], []), (PAUSES[1], []), (PAUSES[2], []), (day, [1]), (day, [2])):
        daemon.now += pause - timedelta(seconds=1)
        assert not heals_soon(daemon, HOURS_AGO[30])
        assert open_alerts(database, PARSE_LOGS) == alerted
        daemon.now += timedelta(seconds=1)
        assert heals_soon(daemon, HOURS_AGO[30])
    assert HOURS_AGO[30].key in alert_cause(database)
    build_hours(database, [30], daemon.now)
    daemon.heal()
    assert open_alerts(database, PARSE_LOGS) == []


def heals_soon(daemon: Daemon, hour: Window) -> bool:
    """Whether the hour is asked for within some ticks: each asks for a few runs only."""
    return any((hour.key, hour.key) in asked(daemon.heals(PARSE_LOGS)) for _ in range(6))


def open_alerts(database: Engine, job: Job) -> list[int]:
    """How often the job's alert was raised while it is open."""
    own = (alerts.c.kind == "job_overdue") & (alerts.c.subject == job.name)
    with database.connect() as connection:
        return list(connection.execute(select(alerts.c.count).where(own, alerts.c.closed_at.is_(None))).scalars())


def alert_cause(database: Engine) -> str:
    own = (alerts.c.kind == "job_overdue") & (alerts.c.subject == "parse_logs")
    with database.connect() as connection:
        return connection.execute(select(alerts.c.cause).where(own)).scalar_one()


@pytest.mark.usefixtures("archived")
def test_what_a_cancelled_run_should_have_built_is_asked_for_again(daemon: Daemon) -> None:
    (request,) = daemon.asks(PARSE_LOGS)
    note_run(daemon.instance, PARSE_LOGS, dict(request.tags), dg.DagsterRunStatus.CANCELED)
    daemon.now += SETTLED
    again = [found for found in daemon.heals(PARSE_LOGS) if found.partition_key == request.partition_key]
    assert [found.run_key != request.run_key for found in again] == [True]


@pytest.mark.usefixtures("archived")
def test_a_job_switched_off_in_the_ui_is_not_healed_either(daemon: Daemon) -> None:
    switch(daemon.instance, PARSE_LOGS, InstigatorStatus.STOPPED)
    assert daemon.heals(PARSE_LOGS) == []


def switch(instance: dg.DagsterInstance, job: Job, status: InstigatorStatus) -> None:
    """As the UI does it."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("rustbucket_pipeline"), "__repository__")
    origin = RemoteInstigatorOrigin(repository, job.name)
    data = ScheduleInstigatorData(job.cron, NOW.timestamp())
    instance.add_instigator_state(InstigatorState(origin, InstigatorType.SCHEDULE, status, data))


@pytest.mark.usefixtures("archived")
def test_nothing_is_made_of_an_hour_whose_blocking_check_failed_until_it_passes(
    daemon: Daemon, database: Engine
) -> None:
    build_hours(database, (1, 3, 4, 30))
    hour = HOURS_AGO[40]
    digest = window_at(hour.start, FOUR_HOURS)
    assert digest.key in windows_of(daemon.heals(ANALYSE_WINDOWS))
    daemon.now += SETTLED
    with database.begin() as connection:
        note_wrong(connection, "parsed_logs", "hours_accounted", [hour], {hour.start}, NOW)
    assert digest.key not in windows_of(daemon.heals(ANALYSE_WINDOWS))
    with database.begin() as connection:
        note_wrong(connection, "parsed_logs", "hours_accounted", [hour], set(), NOW)
    assert digest.key in windows_of(daemon.heals(ANALYSE_WINDOWS))


def windows_of(requests: Requests, length: timedelta = FOUR_HOURS) -> set[str]:
    found: set[str] = set()
    for first, last in asked(requests):
        start, end = (window_of_key(key or "", length) for key in (first, last))
        found |= {window.key for window in windows_between(start.start, end.end, length)}
    return found


@pytest.mark.usefixtures("archived")
def test_what_was_built_and_never_reported_is_reported(daemon: Daemon, database: Engine) -> None:
    done = build_hours(database, [3], run_id=str(uuid4()))
    daemon.now += SLACK
    while daemon.heal().asset_events:
        daemon.now += SETTLED
    newest = newest_materialization(daemon, HOURS_AGO[3])
    assert newest.tags["dagster/data_version"] == done.output_version

    archive_late(database, HOURS_AGO[3], daemon.now)
    again = build_hours(database, [3], daemon.now)
    daemon.heal()
    assert newest_materialization(daemon, HOURS_AGO[3]).tags["dagster/data_version"] == again.output_version


def newest_materialization(daemon: Daemon, hour: Window) -> dg.AssetMaterialization:
    records = daemon.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey("parsed_logs"), asset_partitions=[hour.key]), limit=1
    ).records
    event = records[0].asset_materialization
    assert event is not None
    return event


@pytest.mark.usefixtures("archived")
def test_what_an_unfinished_run_built_is_left_for_it_to_report(daemon: Daemon, database: Engine) -> None:
    tags = range_tags(HOURS_AGO[3], HOURS_AGO[3])
    run = note_run(daemon.instance, PARSE_LOGS, tags, dg.DagsterRunStatus.STARTED)
    build_hours(database, [3], run_id=run.run_id)
    daemon.now += SLACK
    reported: set[tuple[str, str | None]] = set()
    for _ in range(5):
        events = [event for event in daemon.heal().asset_events if isinstance(event, dg.AssetMaterialization)]
        reported |= {(event.asset_key.to_user_string(), event.partition) for event in events}
    assert ("parsed_logs", HOURS_AGO[5].key) in reported
    assert ("parsed_logs", HOURS_AGO[3].key) not in reported


@pytest.mark.usefixtures("archived")
def test_what_is_reported_and_was_never_built_is_run(daemon: Daemon) -> None:
    daemon.instance.report_runless_asset_event(dg.AssetMaterialization("parsed_logs", partition=HOURS_AGO[30].key))
    assert alone(30) in asked(daemon.heals(PARSE_LOGS))


@pytest.mark.usefixtures("archived")
def test_a_backfill_of_an_old_window_doesn_t_make_a_stale_asset_look_fresh(daemon: Daemon, database: Engine) -> None:
    newest = (window_builds.c.asset == "parsed_logs") & (window_builds.c.window_start >= HOURS_AGO[6].start)
    with database.begin() as connection:
        connection.execute(delete(window_builds).where(newest))
    assert standing(daemon)["parsed_logs"] is False
    build_hours(database, [30])
    assert "parsed_logs" not in standing(daemon)
    build_hours(database, range(1, 7))
    assert standing(daemon)["parsed_logs"] is True


def standing(daemon: Daemon) -> dict[str, bool]:
    return {
        event.asset_key.to_user_string(): event.passed
        for event in daemon.heal().asset_events
        if isinstance(event, dg.AssetCheckEvaluation)
    }


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_schedule_ticks_on_an_empty_home(daemon: Daemon, job: Job) -> None:
    for request in daemon.asks(job):
        assert request.run_key


def test_a_long_backlog_is_healed_a_few_runs_at_once(daemon: Daemon) -> None:
    runs = daemon.heal().run_requests or []
    assert [run.job_name for run in runs] == ["archive_logs"] * len(runs)
    assert 1 < len(runs) <= 8
    for request in runs:
        note_run(daemon.instance, ARCHIVE_LOGS, dict(request.tags), dg.DagsterRunStatus.STARTED)
    for _ in range(8 - len(runs)):
        note_run(daemon.instance, ARCHIVE_LOGS, dict(runs[0].tags), dg.DagsterRunStatus.STARTED)
    daemon.now += SETTLED
    assert not daemon.heal().run_requests
