"""The days of `log_events`: made once, whoever comes; begun bare, and whole once they are attached."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, inspect, literal_column, select, text
from sqlalchemy.exc import IntegrityError

from rustbucket_pipeline.storage.event_days import (
    attach_event_day,
    begin_event_day,
    ensure_event_partition,
    event_partition,
)
from rustbucket_pipeline.storage.tables import log_events

DAY = date(2026, 3, 2)
NAME = "log_events_2026_03_02"


def test_a_day_of_events_is_made_once_and_holds_its_day_only(database: Engine, insert: Callable[..., None]) -> None:
    for _ in range(2):
        with database.begin() as connection:
            assert ensure_event_partition(connection, DAY) == "log_events_2026_03_02"
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    with database.begin() as connection:
        for at in (midnight, midnight + timedelta(days=1, microseconds=-1)):
            insert(connection, log_events, event_ts=at)
        where = select(literal_column("tableoid::regclass::text").distinct()).select_from(log_events)
        assert connection.execute(where).scalar_one() == "log_events_2026_03_02"
    with database.connect() as connection, pytest.raises(IntegrityError, match="no partition"):
        insert(connection, log_events, event_ts=midnight + timedelta(days=1))


def test_a_day_that_several_begin_at_once_is_made_once_and_none_of_them_fails(database: Engine) -> None:
    days = [DAY + timedelta(days=number) for number in range(10)]
    together = threading.Barrier(4)

    def begin(day: date) -> str:
        together.wait(60)
        with database.begin() as connection:
            return ensure_event_partition(connection, day)

    with ThreadPoolExecutor(4) as pool:
        for day in days:
            assert {*pool.map(begin, [day] * 4)} == {f"log_events_{day:%Y_%m_%d}"}


def test_a_new_day_does_not_wait_for_readers_and_writers_of_other_days(database: Engine) -> None:
    with database.begin() as connection:
        ensure_event_partition(connection, DAY)
    with database.begin() as reader, database.begin() as maker:
        reader.execute(text("LOCK TABLE log_events IN ROW EXCLUSIVE MODE"))
        maker.execute(text("SET LOCAL lock_timeout = '5s'"))
        ensure_event_partition(maker, date(2026, 3, 3))


def test_a_day_begun_bare_is_like_any_other_once_it_is_attached(database: Engine, insert: Callable[..., None]) -> None:
    with database.begin() as connection:
        assert begin_event_day(connection, DAY) == NAME
        assert inspect(connection).get_indexes(NAME) == []
        connection.execute(text(f"INSERT INTO {NAME} SELECT * FROM log_events"))
        attach_event_day(connection, DAY)
        ensure_event_partition(connection, DAY + timedelta(days=1))
        assert begin_event_day(connection, DAY) is None
    assert shape_of(database, NAME) == shape_of(database, "log_events_2026_03_03")
    with database.begin() as connection:
        insert(connection, log_events, event_ts=datetime(2026, 3, 2, 12, tzinfo=UTC))
        assert event_partition(connection, DAY) == NAME


def shape_of(database: Engine, table: str) -> tuple[object, ...]:
    looked = inspect(database)
    indexes = sorted((tuple(index["column_names"]), index["unique"]) for index in looked.get_indexes(table))
    columns = [(column["name"], str(column["type"]), column["nullable"]) for column in looked.get_columns(table)]
    return indexes, looked.get_pk_constraint(table)["constrained_columns"], columns


def test_who_needs_a_day_that_is_being_begun_waits_for_it(database: Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection, database.connect() as watcher:
            begin_event_day(connection, DAY)
            other = pool.submit(ensured, database)
            waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            while not watcher.execute(waiting).scalar_one():
                watcher.rollback()
            attach_event_day(connection, DAY)
        assert other.result(60) == NAME


def test_a_day_that_was_begun_and_given_up_leaves_nothing(database: Engine) -> None:
    with database.connect() as connection:
        begin_event_day(connection, DAY)
        connection.rollback()
    with database.connect() as connection:
        assert event_partition(connection, DAY) is None
    assert ensured(database) == NAME


def ensured(database: Engine) -> str:
    with database.begin() as connection:
        return ensure_event_partition(connection, DAY)
