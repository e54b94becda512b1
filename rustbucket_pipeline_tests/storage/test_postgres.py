"""Our database from Python: found, made, upgraded, copied into, locked; and what is said when it can't be reached."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import DataError
from sqlalchemy import Connection, Engine, text

from rustbucket_pipeline.errors import ConfigurationError, DatabaseUnavailable
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases, embedded
from rustbucket_pipeline.storage.postgres import (
    advisory_lock,
    copy_binary,
    copy_rows,
    open_database,
    schema_state,
    upgrade,
)
from rustbucket_pipeline.storage.tables import rustbuckets

Start = Callable[..., subprocess.Popen[str]]

OPEN = """
import sys
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.postgres import open_database
from sqlalchemy import text
engine = open_database(Settings(**{"RUSTBUCKET_HOME": sys.argv[1]}))
with engine.begin() as connection:
    print(connection.execute(text("SELECT count(*) FROM rustbuckets")).scalar_one())
engine.dispose()
"""


def with_url(settings: Settings, url: str) -> Settings:
    return Settings(RUSTBUCKET_HOME=settings.home, RUSTBUCKET_DATABASE_URL=url)


def test_twelve_commands_at_once_on_a_cold_home_all_work(own_home: Path, python: Start) -> None:
    commands = [python(OPEN, own_home) for _ in range(12)]
    assert [command.communicate(timeout=120) for command in commands] == [("0\n", "")] * 12


def test_an_engine_outlives_its_embedded_server(own_home: Path, insert: Callable[..., None]) -> None:
    engine = open_database(Settings(RUSTBUCKET_HOME=own_home))
    with engine.begin() as connection:
        insert(connection, rustbuckets, id="BKT1", status="active")
    os.kill(int((own_home / "pg/postmaster.pid").read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
    while embedded.alive(own_home):
        time.sleep(0.01)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM rustbuckets")).scalar_one() == 1
    engine.dispose()


def test_times_come_back_in_utc(database: Engine) -> None:
    with database.connect() as connection:
        read = connection.execute(text("SELECT timestamptz '2026-03-02 01:00+01'")).scalar_one()
    assert read == datetime(2026, 3, 2, tzinfo=UTC)
    assert read.utcoffset().total_seconds() == 0


def test_a_server_that_is_not_there_is_named_with_the_remedy_and_without_the_password(settings: Settings) -> None:
    with pytest.raises(DatabaseUnavailable) as error:
        open_database(with_url(settings, "postgresql://me:s3cr%25et@127.0.0.1:1/mine"))
    message = str(error.value)
    assert "127.0.0.1:1/mine" in message
    assert "RUSTBUCKET_DATABASE_URL" in message
    assert "\n" not in message
    assert "s3cr" not in message


@pytest.mark.parametrize(
    "url", ["mysql://me:hush@host/db", "postgresql://me:hush@host/", "hush", "postgresql://h:x/hush"]
)
def test_a_url_that_is_none_of_postgresql_is_refused_without_being_quoted(settings: Settings, url: str) -> None:
    with pytest.raises(ConfigurationError, match="RUSTBUCKET_DATABASE_URL") as error:
        open_database(with_url(settings, url))
    assert "hush" not in str(error.value)


def test_an_external_database_waits_for_an_explicit_upgrade(settings: Settings, server: Connection) -> None:
    url = databases.address(settings).set(drivername="postgresql", database="external")
    external = with_url(settings, url.render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnavailable, match="does not exist"):
        open_database(external)
    server.execute(text("CREATE DATABASE external"))
    with pytest.raises(ConfigurationError, match="run `rustbucket db upgrade`"):
        open_database(external)
    assert schema_state(external).revision is None
    assert upgrade(external).ready
    open_database(external).dispose()
    server.execute(text("DROP DATABASE external"))


def test_a_database_is_made_once_by_whoever_comes_first(settings: Settings) -> None:
    name = 'o"dd %'

    def make() -> None:
        with databases.maintenance(settings) as connection:
            databases.create(connection, name)

    makers = [threading.Thread(target=make) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    with databases.maintenance(settings) as connection:
        assert databases.exists(connection, name)
        connection.execute('DROP DATABASE "o""dd %"')
        assert not databases.exists(connection, name)


def test_copied_rows_are_counted_and_belong_to_the_transaction(database: Engine) -> None:
    rows = [(f"BKT{n}", "a\tb\n\\N'", "review", datetime(2026, 3, 2, tzinfo=UTC), None) for n in range(1000)]
    columns = ("id", "name", "status", "registered_at", "os")
    with database.connect() as connection:
        assert copy_rows(connection, "rustbuckets", columns, rows) == 1000
        assert connection.execute(text("SELECT DISTINCT name, os FROM rustbuckets")).one() == ("a\tb\n\\N'", None)
        connection.rollback()
        assert connection.execute(text("SELECT count(*) FROM rustbuckets")).scalar_one() == 0


def test_a_lock_is_waited_for_until_its_holder_commits(database: Engine) -> None:
    order: list[str] = []

    def second() -> None:
        with database.begin() as connection:
            advisory_lock(connection, "x")
            order.append("second")

    with database.begin() as connection:
        advisory_lock(connection, "x")
        waiter = threading.Thread(target=second)
        waiter.start()
        with database.connect() as watcher:
            waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            while not watcher.execute(waiting).scalar_one():
                watcher.rollback()
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]


HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def one_number(number: int) -> bytes:
    return b"\0\1" + (4).to_bytes(4) + number.to_bytes(4)


def numbers_copied(engine: Engine, chunks: Iterator[bytes]) -> list[int]:
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE numbers (number integer)"))
        copy_binary(connection, "numbers", ["number"], chunks)
        return [*connection.execute(text("SELECT number FROM numbers ORDER BY number")).scalars()]


def test_rows_sent_while_later_ones_are_made_arrive_in_full(database: Engine) -> None:
    before = sys.getswitchinterval()
    chunks = (HEADER, *(one_number(number) * 1000 for number in range(50)), TRAILER)
    assert numbers_copied(database, iter(chunks)) == sorted([*range(50)] * 1000)
    assert sys.getswitchinterval() == before


def test_what_breaks_while_rows_are_made_is_raised_and_ends_the_sending(database: Engine) -> None:
    def breaking() -> Iterator[bytes]:
        yield HEADER
        yield one_number(1)
        raise ZeroDivisionError

    before = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError):
        numbers_copied(database, breaking())
    assert sys.getswitchinterval() == before


def test_bytes_that_are_no_rows_are_refused(database: Engine) -> None:
    with pytest.raises(DataError):
        numbers_copied(database, iter([HEADER, b"\0\7" + bytes(100), TRAILER]))
