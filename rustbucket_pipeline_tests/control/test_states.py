"""The plan's facts, from a real database: stale windows of any age, requests, failed checks, watermarks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert

from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, PARSE_LOGS, Job
from rustbucket_pipeline.control.plan import Asked, Planned, Standing, Taker
from rustbucket_pipeline.control.states import (
    CODE_VERSIONS,
    GRACE,
    heard_until,
    note_requests,
    note_wrong,
    stale_windows,
    wrong_windows,
)
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window, window_at
from rustbucket_pipeline.storage.builds import EMPTY, Build, inputs_version, record_build
from rustbucket_pipeline.storage.tables import rustbuckets

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MIDNIGHT = NOON - 12 * HOUR
NOW = NOON + timedelta(hours=4, minutes=20)


def built(connection: Connection, asset: str, window: Window, output: str, at: datetime = NOW) -> None:
    """Note the window as built from what is there now."""
    inputs = inputs_version(connection, asset, window, CODE_VERSIONS[asset]) if asset in CODE_VERSIONS else output
    record_build(connection, Build(asset, window, inputs, output, "1", None), at)


def keys(connection: Connection, asset: str, now: datetime = NOW, since: datetime = MIDNIGHT) -> list[str]:
    return [stale.window.key for stale in stale_windows(connection, asset, since, now)]


@pytest.fixture
def connection(database: Engine) -> Iterator[Connection]:
    with database.connect() as connection:
        yield connection


def archived(connection: Connection, start: datetime, output: str) -> None:
    built(connection, "log_archives", window_at(start, HALF_HOUR), output)


def test_every_half_hour_that_was_never_asked_for_since_it_is_over_is_stale(connection: Connection) -> None:
    archived(connection, NOON, "a")
    built(connection, "log_archives", Window(NOON + HALF_HOUR, HALF_HOUR), "a", at=NOON + timedelta(minutes=50))
    left = keys(connection, "log_archives")
    assert len(left) == 32 - 1
    assert "2026-03-02-12:00" not in left
    assert "2026-03-02-12:30" in left


def test_an_hour_is_stale_once_something_of_it_is_archived_and_again_when_that_changes(connection: Connection) -> None:
    assert keys(connection, "parsed_logs") == []
    archived(connection, NOON, "a")
    assert keys(connection, "parsed_logs") == ["2026-03-02-12:00"]
    built(connection, "parsed_logs", Window(NOON, HOUR), "rows")
    assert keys(connection, "parsed_logs") == []
    archived(connection, NOON + HALF_HOUR, "late")
    (again,) = stale_windows(connection, "parsed_logs", MIDNIGHT, NOW)
    assert (again.window, again.built, again.changed_at) == (Window(NOON, HOUR), True, NOW)
    now = inputs_version(connection, "parsed_logs", Window(NOON, HOUR), CODE_VERSIONS["parsed_logs"])
    assert again.version == now


def test_history_of_any_age_is_compared(connection: Connection) -> None:
    old = NOON - timedelta(days=1100)
    archived(connection, old, "a")
    assert keys(connection, "parsed_logs", since=old - 12 * HOUR) == [Window(old, HOUR).key]


def test_a_pull_that_brought_nothing_new_makes_nothing_stale(connection: Connection) -> None:
    archived(connection, NOON, "a")
    built(connection, "parsed_logs", Window(NOON, HOUR), "rows")
    archived(connection, NOON, "a")
    assert keys(connection, "parsed_logs") == []


def test_half_hours_that_were_asked_and_held_nothing_make_nothing_stale(connection: Connection) -> None:
    archived(connection, NOON, EMPTY)
    assert keys(connection, "parsed_logs") == []
    archived(connection, NOON + HALF_HOUR, "a")
    built(connection, "parsed_logs", Window(NOON, HOUR), "rows")
    archived(connection, NOON + timedelta(hours=1), "b")
    built(connection, "parsed_logs", Window(NOON + HOUR, HOUR), "rows")
    archived(connection, NOON + timedelta(hours=1, minutes=30), EMPTY)
    assert keys(connection, "parsed_logs") == []


def test_one_late_record_makes_its_hour_stale_then_its_digest_then_its_report_and_nothing_else(
    connection: Connection,
) -> None:
    for half in Window(MIDNIGHT, FOUR_HOURS * 4).parts(HALF_HOUR):
        archived(connection, half.start, f"bytes of {half.key}")
    later = NOW + timedelta(hours=3)
    for asset, length in (("parsed_logs", HOUR), ("window_digest", FOUR_HOURS), ("log_analysis", FOUR_HOURS)):
        for window in Window(MIDNIGHT, FOUR_HOURS * 4).parts(length):
            built(connection, asset, window, f"{asset} of {window.key}")
        assert keys(connection, asset, later) == []

    archived(connection, NOON - HALF_HOUR, "one record more")
    assert keys(connection, "parsed_logs", later) == ["2026-03-02-11:00"]
    assert keys(connection, "window_digest", later) == []
    built(connection, "parsed_logs", Window(NOON - HOUR, HOUR), "one row more")
    assert keys(connection, "parsed_logs", later) == []
    assert keys(connection, "window_digest", later) == ["2026-03-02-08:00"]
    built(connection, "window_digest", Window(NOON - FOUR_HOURS, FOUR_HOURS), "another digest")
    assert keys(connection, "log_analysis", later) == ["2026-03-02-08:00"]
    built(connection, "log_analysis", Window(NOON - FOUR_HOURS, FOUR_HOURS), "another report")
    assert [keys(connection, asset, later) for asset in CODE_VERSIONS] == [[], [], []]


def test_a_window_in_progress_is_not_stale(connection: Connection) -> None:
    archived(connection, NOON, "a")
    assert keys(connection, "parsed_logs", NOON + timedelta(minutes=59)) == []
    assert keys(connection, "log_archives", NOON + timedelta(minutes=29))[-1] == "2026-03-02-11:30"


def test_rustbuckets_were_heard_until_the_slowest_s_last_record_or_until_grace_is_over(connection: Connection) -> None:
    assert heard_until(connection, NOW) == NOW - GRACE
    row = {"id": "BKT100001", "name": "one", "status": "active", "registered_at": NOON}
    connection.execute(insert(rustbuckets).values(row))
    assert heard_until(connection, NOW) == NOW - GRACE


def planned(job: Job, window: Window, version: str, tries: int) -> Planned:
    return Planned(job, window, version, "why", Standing.DUE, "", Taker.HEAL, tries, given_up=False)


def test_a_request_is_noted_with_its_window_and_found_again(connection: Connection) -> None:
    archived(connection, NOON, "a")
    note_requests(connection, [], NOW)
    for tries in (0, 1):
        item = planned(PARSE_LOGS, Window(NOON, HOUR), "v", tries)
        note_requests(
            connection, [item, planned(ANALYSE_WINDOWS, Window(NOON, FOUR_HOURS), "v", 0)], NOW + tries * HOUR
        )
    (stale,) = stale_windows(connection, "parsed_logs", MIDNIGHT, NOW)
    assert stale.asked == Asked("v", 2, NOW + HOUR)


def test_a_window_is_wrong_until_its_check_passes(connection: Connection) -> None:
    one, two = Window(NOON, HOUR), Window(NOON + HOUR, HOUR)
    note_wrong(connection, "parsed_logs", "sums", [one, two], {one.start, two.start}, NOW)
    note_wrong(connection, "parsed_logs", "sums", [two], set(), NOW)
    note_wrong(connection, "parsed_logs", "other", [one], set(), NOW)
    assert wrong_windows(connection) == {("parsed_logs", one): "sums"}
    note_wrong(connection, "parsed_logs", "sums", [one], set(), NOW)
    assert wrong_windows(connection) == {}
