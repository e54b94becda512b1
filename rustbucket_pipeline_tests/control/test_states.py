"""The plan's facts, from `window_builds` and the watermarks of a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert

from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, PARSE_LOGS, POLL_FLEET, Job
from rustbucket_pipeline.control.plan import due
from rustbucket_pipeline.control.states import CODE_VERSIONS, window_states
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window, window_at
from rustbucket_pipeline.storage.builds import EMPTY, Build, inputs_version, record_build
from rustbucket_pipeline.storage.tables import rustbuckets

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = NOON + timedelta(hours=4, minutes=20)


def built(connection: Connection, asset: str, window: Window, output: str) -> None:
    """Note the window as built from what is there now."""
    inputs = inputs_version(connection, asset, window, CODE_VERSIONS[asset]) if asset in CODE_VERSIONS else output
    record_build(connection, Build(asset, window, inputs, output, "1", None), NOW)


def keys(connection: Connection, job: Job, now: datetime = NOW) -> list[str]:
    return sorted({item.window.key for item in due(window_states(connection, job, NOON, now), now, grace=timedelta(0))})


@pytest.fixture
def connection(database: Engine) -> Iterator[Connection]:
    with database.connect() as connection:
        yield connection


def archived(connection: Connection, start: datetime, output: str) -> None:
    built(connection, "log_archives", window_at(start, HALF_HOUR), output)


def test_every_half_hour_never_asked_for_is_due(connection: Connection) -> None:
    archived(connection, NOON, "a")
    assert len(keys(connection, ARCHIVE_LOGS)) == 7


def test_an_hour_is_due_once_something_of_it_is_archived_and_again_when_that_changes(connection: Connection) -> None:
    assert keys(connection, PARSE_LOGS) == []
    archived(connection, NOON, "a")
    assert keys(connection, PARSE_LOGS) == ["2026-03-02-12:00"]
    built(connection, "parsed_logs", Window(NOON, HOUR), "rows")
    assert keys(connection, PARSE_LOGS) == []
    archived(connection, NOON + HALF_HOUR, "late")
    assert keys(connection, PARSE_LOGS) == ["2026-03-02-12:00"]


def test_a_pull_that_brought_nothing_new_makes_nothing_due(connection: Connection) -> None:
    archived(connection, NOON, "a")
    built(connection, "parsed_logs", Window(NOON, HOUR), "rows")
    archived(connection, NOON, "a")
    assert keys(connection, PARSE_LOGS) == []


def test_half_hours_that_were_asked_and_held_nothing_make_nothing_due(connection: Connection) -> None:
    archived(connection, NOON, EMPTY)
    assert keys(connection, PARSE_LOGS) == []
    archived(connection, NOON + HALF_HOUR, "a")
    built(connection, "parsed_logs", Window(NOON, HOUR), "rows")
    archived(connection, NOON + timedelta(hours=1), "b")
    built(connection, "parsed_logs", Window(NOON + HOUR, HOUR), "rows")
    archived(connection, NOON + timedelta(hours=1, minutes=30), EMPTY)
    assert keys(connection, PARSE_LOGS) == []


def test_an_analysis_waits_until_every_active_rustbucket_was_heard_or_its_grace_is_over(connection: Connection) -> None:
    row = {"id": "BKT100001", "name": "one", "status": "active", "registered_at": NOON}
    connection.execute(insert(rustbuckets).values(row))
    built(connection, "parsed_logs", Window(NOON, HOUR), "rows")
    assert keys(connection, ANALYSE_WINDOWS) == []
    assert keys(connection, ANALYSE_WINDOWS, NOON + FOUR_HOURS + timedelta(hours=2, minutes=15)) == ["2026-03-02-12:00"]


def test_a_report_is_due_when_its_digest_is_newer(connection: Connection) -> None:
    later = NOW + timedelta(hours=3)
    built(connection, "parsed_logs", Window(NOON, HOUR), "rows")
    built(connection, "window_digest", Window(NOON, FOUR_HOURS), "digest")
    built(connection, "log_analysis", Window(NOON, FOUR_HOURS), "report")
    assert keys(connection, ANALYSE_WINDOWS, later) == []
    built(connection, "window_digest", Window(NOON, FOUR_HOURS), "another")
    assert keys(connection, ANALYSE_WINDOWS, later) == ["2026-03-02-12:00"]


def test_the_fleet_s_status_has_no_windows(connection: Connection) -> None:
    assert window_states(connection, POLL_FLEET, NOON, NOW) == []
