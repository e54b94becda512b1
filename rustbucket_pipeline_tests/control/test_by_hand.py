"""What a person's order comes to: what is due of what was named, why the rest isn't run, and what force skips."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import dagster as dg
import pytest
from sqlalchemy import Engine, select

from rustbucket_pipeline.control.by_hand import adjacent, forced, order
from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, PARSE_LOGS, POLL_FLEET
from rustbucket_pipeline.control.marks import forget_job, mark_job
from rustbucket_pipeline.control.named import span, windows_from, windows_named
from rustbucket_pipeline.errors import BadWindow, UsageError
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window, windows_between
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.builds import EMPTY, Build, record_builds
from rustbucket_pipeline.storage.plan_tables import window_requests

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=4, minutes=20)
HOURS = list(windows_between(MIDNIGHT, MIDNIGHT + 4 * HOUR, HOUR))


@pytest.fixture
def ready(settings: Settings, database: Engine) -> Settings:
    """Since midnight everything was archived; of the first and third hour logs came."""
    halves = windows_between(MIDNIGHT, MIDNIGHT + 4 * HOUR, HALF_HOUR)
    came = {HOURS[0].start, HOURS[2].start}
    with database.begin() as connection:
        outputs = [(half, "logs" if half.start in came else EMPTY) for half in halves]
        record_builds(connection, [Build("log_archives", half, "v", out, "1", None) for half, out in outputs], NOW)
    return settings.model_copy(update={"since": MIDNIGHT})


def note_run(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun(job_name=job, run_id=str(uuid4()), status=status, tags=tags))


def test_what_is_due_runs_adjacent_windows_together_and_nobody_else_asks_for_them(
    ready: Settings, database: Engine, instance: dg.DagsterInstance
) -> None:
    asked = order(database, instance, ready, PARSE_LOGS, None, NOW)
    assert asked.runs == ((HOURS[0], HOURS[0]), (HOURS[2], HOURS[2]))
    with database.connect() as connection:
        rows = connection.execute(select(window_requests.c.window_start, window_requests.c.times)).all()
    assert sorted(rows) == [(HOURS[0].start, 1), (HOURS[2].start, 1)]
    assert order(database, instance, ready, PARSE_LOGS, None, NOW).runs == ()


def test_of_named_windows_those_that_are_due_run_and_the_others_are_told_why_not(
    ready: Settings, database: Engine, instance: dg.DagsterInstance
) -> None:
    note_run(instance, "parse_logs", dg.DagsterRunStatus.STARTED, **{"dagster/partition": HOURS[2].key})
    asked = order(database, instance, ready, PARSE_LOGS, HOURS[:3], NOW)
    assert asked.runs == ((HOURS[0], HOURS[0]),)
    assert asked.left == {
        HOURS[1]: "built from what is there, or nothing came of it",
        HOURS[2]: "building: a run is building it",
    }


def test_a_person_needs_not_wait_for_the_pause_after_a_failed_try(
    ready: Settings, database: Engine, instance: dg.DagsterInstance
) -> None:
    order(database, instance, ready, PARSE_LOGS, HOURS[:1], NOW)
    again = order(database, instance, ready, PARSE_LOGS, HOURS[:1], NOW + timedelta(minutes=1))
    assert again.runs == ((HOURS[0], HOURS[0]),)


def test_archives_take_the_newest_half_hour_in_any_case_once(
    ready: Settings, database: Engine, instance: dg.DagsterInstance
) -> None:
    with database.begin() as connection:
        halves = windows_between(MIDNIGHT, NOW, HALF_HOUR)
        record_builds(connection, [Build("log_archives", half, "v", "v", "1", None) for half in halves], NOW)
    newest = Window(MIDNIGHT + 7 * HALF_HOUR, HALF_HOUR)
    assert order(database, instance, ready, ARCHIVE_LOGS, None, NOW).runs == ((newest, newest),)
    note_run(instance, "archive_logs", dg.DagsterRunStatus.STARTED, **{"dagster/partition": newest.key})
    assert order(database, instance, ready, ARCHIVE_LOGS, None, NOW).runs == ()


def test_a_job_without_windows_is_due_once_per_tick(
    ready: Settings, database: Engine, instance: dg.DagsterInstance
) -> None:
    now = datetime.now(UTC)  # Dagster notes by its own clock when a run was made
    assert order(database, instance, ready, POLL_FLEET, None, now).runs == (None,)
    note_run(instance, "poll_fleet", dg.DagsterRunStatus.SUCCESS)
    asked = order(database, instance, ready, POLL_FLEET, None, now)
    assert asked.runs == ()
    assert asked.left[None].startswith("it ran at ")
    due = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0) + timedelta(minutes=15)
    assert order(database, instance, ready, POLL_FLEET, None, due).runs == (None,)
    assert order(database, instance, ready, POLL_FLEET, None, due - timedelta(microseconds=1)).runs == ()


def test_a_job_without_windows_that_runs_is_not_run_twice(
    ready: Settings, database: Engine, instance: dg.DagsterInstance
) -> None:
    run = note_run(instance, "poll_fleet", dg.DagsterRunStatus.STARTED)
    asked = order(database, instance, ready, POLL_FLEET, None, datetime.now(UTC))
    assert (asked.runs, run.run_id[:8] in asked.left[None]) == ((), True)


def test_a_mark_counts_as_a_run_and_a_reset_makes_it_due(
    ready: Settings, database: Engine, instance: dg.DagsterInstance
) -> None:
    mark_job(instance, POLL_FLEET, "ann", "asked by phone")
    assert order(database, instance, ready, POLL_FLEET, None, datetime.now(UTC)).runs == ()
    forget_job(instance, POLL_FLEET, "ann")
    assert order(database, instance, ready, POLL_FLEET, None, datetime.now(UTC)).runs == (None,)


def test_force_runs_what_was_named_or_the_newest_window_that_is_over() -> None:
    assert forced(PARSE_LOGS, HOURS[:2], NOW).runs == ((HOURS[0], HOURS[1]),)
    assert forced(PARSE_LOGS, None, NOW).runs == ((HOURS[3], HOURS[3]),)
    assert forced(POLL_FLEET, None, NOW).runs == (None,)


def test_windows_next_to_each_other_are_one_stretch() -> None:
    assert list(adjacent([])) == []
    assert list(adjacent([HOURS[0], HOURS[1], HOURS[3]])) == [(HOURS[0], HOURS[1]), (HOURS[3], HOURS[3])]


def test_windows_are_named_by_key_or_from_one_moment_to_another(ready: Settings) -> None:
    keys = [HOURS[1].key, HOURS[0].key, HOURS[1].key]
    assert windows_named(ready, PARSE_LOGS, keys, NOW) == HOURS[:2]
    assert windows_from(ready, PARSE_LOGS, MIDNIGHT, MIDNIGHT + 2 * HOUR, NOW) == HOURS[:2]
    assert windows_from(ready, PARSE_LOGS, MIDNIGHT, None, NOW) == HOURS
    assert windows_named(ready, POLL_FLEET, [], NOW) == []
    assert (span([]), span(HOURS[:1])) == ("no window", "2026-03-02 00:00–01:00 UTC")
    assert span(HOURS) == "4 windows, 2026-03-02 00:00 to 2026-03-02 04:00 UTC"


@pytest.mark.parametrize("key", ["2026-03-02-04:00", "2026-03-01-23:00", "2026-03-02-00:30", "soon"])
def test_a_window_that_can_t_be_built_is_refused(ready: Settings, key: str) -> None:
    with pytest.raises(BadWindow, match=key):
        windows_named(ready, PARSE_LOGS, [key], NOW)


def test_a_time_without_windows_is_refused(ready: Settings) -> None:
    with pytest.raises(BadWindow, match="no window"):
        windows_from(ready, PARSE_LOGS, NOW, None, NOW)
    with pytest.raises(UsageError, match="no windows"):
        windows_from(ready, POLL_FLEET, MIDNIGHT, None, NOW)
    with pytest.raises(UsageError, match="no windows"):
        windows_named(ready, POLL_FLEET, [HOURS[0].key], NOW)
