"""A new day's hours, loaded together, are what they are hour by hour; what can't be loaded together changes nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from rustbucket_pipeline.errors import IntegrityError, WindowClosed
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.events.new_day import load_new_day
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.storage.closed_days import hold_windows, note_closed
from rustbucket_pipeline_tests.events.conftest import HOUR_START, NOW

HOURS = [Window(HOUR_START + number * HOUR, HOUR) for number in range(3)]
DAY = HOUR_START.date()
SSH = {"target": "rustbucket::protocols::ssh", "event_type": "auth", "protocol": "SSH", "client_ip": "192.0.2.1:5"}
FORGED = (
    b"2026-03-02T00:00:03.000000Z  INFO rustbucket::handler: Received data: a\n1999-01-01T00:00:00.000000Z  INFO x: b\n"
)
TABLES = {
    "log_events": "event_id",
    "quarantine": "segment_id, byte_offset",
    "hour_counts": "hour, rustbucket_id",
    "session_parts": "1, 2, 3",
    "unknown_templates": "hour, rustbucket_id, target, template",
}
VERSIONS = "select asset, window_start, inputs_version, output_version from window_builds order by 1, 2"
ALERTS = "select kind, subject, closed_at is null as open from alerts order by 1, 2"


def act(hour, statement):
    with hour.database.begin() as connection:
        connection.execute(text(statement))


def everything(hour):
    found = {table: hour.rows(f"select * from {table} order by {order}") for table, order in TABLES.items()}
    return found | {"versions": hour.rows(VERSIONS), "alerts": hour.rows(ALERTS)}


def load(hour, worth=0):
    return load_new_day(hour.database, hour.archive, HOURS, NOW, worth=worth)


def build(hour):
    return [build_hour(hour.database, hour.archive, window, NOW, None) for window in HOURS]


@pytest.fixture
def day(hour, json_line):
    """Two hours of three rustbuckets, with all that a row can be; the third hour is empty."""
    for number in range(1, 4):
        first = json_line("Authentication attempt", "00:10:00.000000", username="root", password=str(number), **SSH)
        later = json_line("Never heard of", "01:05:00.000000") + b"garbage\n" + json_line(at="01:30:00.000000")
        hour.log(first + later + (FORGED if number == 2 else b""), f"BKT{number}")
        hour.log(first + json_line(at="00:40:00.000000", command=f"of {number}"), f"BKT{number}")
    return hour


def test_loaded_together_a_day_is_what_it_is_hour_by_hour(day):
    build(day)
    by_hours = everything(day)
    assert by_hours["quarantine"]
    assert by_hours["unknown_templates"]
    act(day, f"drop table log_events_{DAY:%Y_%m_%d}")
    act(day, f"truncate {', '.join(name for name in TABLES if name != 'log_events')}, window_builds, alerts cascade")
    assert load(day) == 6
    outcomes = build(day)
    assert [outcome.loaded for outcome in outcomes] == [0, 0, 0]
    assert [outcome.events for outcome in outcomes] == [8, 6, 0]
    assert everything(day) == by_hours


def test_a_day_of_which_something_is_loaded_is_left_alone(day):
    build_hour(day.database, day.archive, HOURS[1], NOW, None)
    before = everything(day)
    assert load(day) == 0
    assert everything(day) == before


def test_few_bytes_are_not_worth_it(day):
    assert load(day, worth=10_000) == 0
    assert day.rows("select relname from pg_class where relname like 'log\\_events\\_2%'") == []


def test_an_hour_that_cannot_be_loaded_fails_alone_and_the_others_are_built(day):
    key = day.rows("select object_key from segments where window_start >= '2026-03-02 01:00+00' limit 1")[0]
    day.archive.replace(key["object_key"], b"not what was archived")
    assert load(day) == 0
    assert day.rows() == []
    assert build_hour(day.database, day.archive, HOURS[0], NOW, None).events == 8
    with pytest.raises(IntegrityError, match="can't be decompressed"):
        build_hour(day.database, day.archive, HOURS[1], NOW, None)


def test_a_closed_day_is_refused(day):
    with day.database.begin() as connection:
        note_closed(connection, DAY, "expired", NOW)
    with pytest.raises(WindowClosed):
        load(day)


def test_what_comes_between_loading_and_building_is_built_too(day, json_line):
    assert load(day) == 6
    day.log(json_line(at="00:50:00.000000", command="late"), "BKT3")
    outcomes = build(day)
    assert [outcome.loaded for outcome in outcomes] == [1, 0, 0]
    assert outcomes[0].events == 9


def test_sums_of_a_day_whose_rows_are_gone_are_in_nobodys_way(day):
    build(day)
    act(day, f"drop table log_events_{DAY:%Y_%m_%d}")
    assert load(day) == 6
    assert [outcome.loaded for outcome in build(day)] == [0, 0, 0]


def test_a_day_loaded_together_waits_for_a_build_of_one_of_its_hours(day):
    with ThreadPoolExecutor(1) as pool:
        with day.database.begin() as connection, day.database.connect() as watcher:
            hold_windows(connection, "parsed_logs", [HOURS[1]])
            together = pool.submit(load, day)
            waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
            while not watcher.execute(waiting).scalar_one():
                watcher.rollback()
            assert not together.done()
        assert together.result(60) == 6
