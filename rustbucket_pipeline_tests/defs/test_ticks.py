"""Ticks of the schedules and the heal sensor, evaluated as the daemon does, on a real database."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, JOBS, PARSE_LOGS, Job
from rustbucket_pipeline.control.runs import load_definitions, range_tags
from rustbucket_pipeline.control.states import CODE_VERSIONS
from rustbucket_pipeline.defs.sensors import TRIES_PER_DAY
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.builds import Build, inputs_version, record_build

NOW = datetime.now(UTC).replace(minute=11, second=0, microsecond=0)
HOURS_AGO = {hours: Window(NOW.replace(minute=0) - timedelta(hours=hours), HOUR) for hours in range(60)}


@pytest.fixture
def definitions(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("RUSTBUCKET_SINCE", (NOW - timedelta(days=9)).isoformat())
    return load_definitions()


@pytest.fixture
def archived(database: Engine) -> None:
    """Every hour of the last 60 was archived; of those 3, 4 and 30 hours ago nothing was parsed yet."""
    with database.begin() as connection:
        for hours, hour in HOURS_AGO.items():
            for half in hour.parts(HALF_HOUR):
                record_build(connection, Build("log_archives", half, "v", "v", "1", None), NOW)
            if hours not in {3, 4, 30}:
                inputs = inputs_version(connection, "parsed_logs", hour, CODE_VERSIONS["parsed_logs"])
                record_build(connection, Build("parsed_logs", hour, inputs, "rows", "1", None), NOW)


def tick(definitions: dg.Definitions, job: Job, instance: dg.DagsterInstance) -> Sequence[dg.RunRequest]:
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=NOW,
        repository_def=definitions.get_repository_def(),
        resources=definitions.resources,
    )
    with context:
        return definitions.resolve_schedule_def(job.name).evaluate_tick(context).run_requests or []


def heal(definitions: dg.Definitions, instance: dg.DagsterInstance, job: Job) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(
        instance=instance, repository_def=definitions.get_repository_def(), resources=definitions.resources
    )
    with context:
        requests = definitions.resolve_sensor_def("heal").evaluate_tick(context).run_requests or []
    return [request for request in requests if request.job_name == job.name]


def asked(request: dg.RunRequest) -> tuple[str | None, str | None]:
    key = request.partition_key
    tags = request.tags
    return tags.get("dagster/asset_partition_range_start", key), tags.get("dagster/asset_partition_range_end", key)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


def test_the_hourly_tick_takes_all_that_is_due_of_its_last_day_in_one_run_each_stretch(
    definitions: dg.Definitions, archived: None, instance: dg.DagsterInstance
) -> None:
    requests = tick(definitions, PARSE_LOGS, instance)
    assert [asked(request) for request in requests] == [(HOURS_AGO[4].key, HOURS_AGO[3].key)]


def test_what_is_older_than_a_day_is_healed(
    definitions: dg.Definitions, archived: None, instance: dg.DagsterInstance
) -> None:
    healed = [asked(request) for request in heal(definitions, instance, PARSE_LOGS)]
    assert (HOURS_AGO[30].key, HOURS_AGO[30].key) in healed


def test_a_tick_with_nothing_due_says_so(definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=NOW,
        repository_def=definitions.get_repository_def(),
        resources=definitions.resources,
    )
    with context:
        result = definitions.resolve_schedule_def("parse_logs").evaluate_tick(context)
    assert not result.run_requests
    assert "nothing is due" in (result.skip_message or "")


def test_the_half_hourly_tick_takes_the_newest_half_hour_that_is_over(
    definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    (request,) = tick(definitions, ARCHIVE_LOGS, instance)
    assert request.partition_key == f"{NOW - timedelta(hours=1):%Y-%m-%d-%H}:30"


def test_the_same_state_asks_for_the_same_run_and_never_twice(
    definitions: dg.Definitions, archived: None, instance: dg.DagsterInstance
) -> None:
    first, second = (heal(definitions, instance, PARSE_LOGS) for _ in range(2))
    assert [request.run_key for request in first] == [request.run_key for request in second]


def test_a_window_that_a_run_is_building_is_not_asked_for(
    definitions: dg.Definitions, archived: None, instance: dg.DagsterInstance
) -> None:
    tags = range_tags(HOURS_AGO[4], HOURS_AGO[3])
    note_run(instance, PARSE_LOGS, tags, dg.DagsterRunStatus.STARTED)
    assert tick(definitions, PARSE_LOGS, instance) == []


def test_a_window_that_fails_is_tried_a_few_times_a_day_and_no_more(
    definitions: dg.Definitions, archived: None, instance: dg.DagsterInstance
) -> None:
    keys = set()
    for _ in range(TRIES_PER_DAY):
        (request,) = [one for one in heal(definitions, instance, PARSE_LOGS) if asked(one)[0] == HOURS_AGO[30].key]
        keys.add(request.run_key)
        note_run(instance, PARSE_LOGS, range_tags(HOURS_AGO[30], HOURS_AGO[30]), dg.DagsterRunStatus.FAILURE)
    assert len(keys) == TRIES_PER_DAY
    assert HOURS_AGO[30].key not in {asked(request)[0] for request in heal(definitions, instance, PARSE_LOGS)}


def note_run(instance: dg.DagsterInstance, job: Job, tags: dict[str, str], status: dg.DagsterRunStatus) -> None:
    instance.add_run(dg.DagsterRun(job_name=job.name, run_id=str(uuid4()), tags=tags, status=status))


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_schedule_ticks_on_an_empty_home(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job: Job
) -> None:
    for request in tick(definitions, job, instance):
        assert request.run_key
