"""A question asked as the reader: answered, refused or cut, with one clear line, whatever it is."""

import os
import signal
import threading
import time

import pytest
from sqlalchemy import Engine, text

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.question import Answer, Limits, ask

MILLIONS = "generate_series(1, 100000) AS a, generate_series(1, 10000) AS b"
SHORT = Limits(seconds=0.5, rows=1000, bytes=1024**2, server_bytes=128 * 1024**2)

REFUSED = {
    "nothing": ("", "no question"),
    "a program": ("COPY (SELECT 1) TO PROGRAM 'id'", "may only read; give one SELECT"),
    "a file": ("SELECT pg_read_file('/etc/passwd')", "permission denied for function pg_read_file"),
    "a role": ("SELECT set_config('role', 'postgres', true)", "permission denied for function set_config"),
    "no time limit": ("SELECT set_config('statement_timeout', '0', true)", "permission denied for function set_config"),
    "a table": ("SELECT * FROM log_events", "permission denied for table log_events"),
    "a write": ("UPDATE events SET message = ''", "may only read; give one SELECT"),
    "a write within": ("WITH gone AS (DELETE FROM events RETURNING 1) SELECT * FROM gone", "data-modifying"),
    "a block of code": ("DO $$ BEGIN PERFORM 1; END $$", "may only read; give one SELECT"),
    "a setting": ("SET statement_timeout = 0", "may only read; give one SELECT"),
    "two statements": ("SELECT 1; SELECT 2", "multiple commands"),
    "a statement behind": ("SELECT 1; DROP VIEW events", "multiple commands"),
    "a comment to hide it": ("SELECT 1 /* */; /* */ COMMIT", "multiple commands"),
    "a typing error": ("SELECT FROM WHERE", "syntax error"),
    "a wrong name": ("SELECT nothing_such FROM events", "does not exist"),
    "a mistake in it": ("SELECT 1 / 0", "division by zero"),
    "escapes in the error": ("SELECT '\x1b[2J\n'::int", r"\x1b"),
    "a time no calendar has": ("SELECT 'infinity'::timestamptz", "too large"),
    "bytes that aren't text": ("SELECT '\udcff'", "UTF-8"),
    "a NUL": ("SELECT '\0'", "no question"),
    "a megabyte of it": (f"SELECT 1 {'+ 1 ' * 300_000}", "no question"),
    "nesting without end": ("SELECT repeat('[', 1000000)::jsonb", "stack depth"),
}

STOPPED = {
    "a join of 10^9 rows": f"SELECT count(*) FROM {MILLIONS}",
    "a sleep": "SELECT pg_sleep(60)",
    "an endless recursion": "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n FROM a) SELECT count(*) FROM a",
}

TOO_MUCH = {
    "a value of a gigabyte": "SELECT repeat('x', 1000000000)",
    "an array of everything": "SELECT array_agg(repeat(a::text, 100)) FROM generate_series(1, 100000000) AS a",
    "a sort of everything": f"SELECT a, b, repeat('x', 100) FROM {MILLIONS} ORDER BY random()",
}


@pytest.mark.parametrize("wanted", REFUSED)
def test_it_is_refused_in_one_line(database: Engine, settings: Settings, wanted: str) -> None:
    question, reason = REFUSED[wanted]
    with pytest.raises(UsageError) as error:
        ask(settings, question, Limits())
    assert reason in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("wanted", STOPPED)
def test_what_takes_too_long_is_stopped(database: Engine, settings: Settings, wanted: str) -> None:
    begun = time.monotonic()
    with pytest.raises(UsageError, match=r"it took over 0\.5 s"):
        ask(settings, STOPPED[wanted], SHORT)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("wanted", TOO_MUCH)
def test_what_takes_too_much_is_stopped(database: Engine, settings: Settings, wanted: str) -> None:
    with pytest.raises(UsageError, match=r"of the server's memory|took too much"):
        ask(settings, TOO_MUCH[wanted], Limits(seconds=60, server_bytes=SHORT.server_bytes))


def test_an_answer_of_10_9_rows_is_cut(database: Engine, settings: Settings) -> None:
    answer = ask(settings, f"SELECT a, b FROM {MILLIONS}", Limits(rows=1000))
    assert len(answer.rows) == 1000
    assert answer.cut.startswith("cut at 1,000 rows")


@pytest.mark.parametrize("large", ["{}", "jsonb_build_object('a', {})", "ARRAY[NULL, {}]", "convert_to({}, 'UTF8')"])
def test_an_answer_of_many_bytes_is_cut(database: Engine, settings: Settings, large: str) -> None:
    value = large.format("repeat('x', 100000)")
    answer = ask(settings, f"SELECT {value} FROM generate_series(1, 1000)", SHORT)
    assert len(answer.rows) == 10
    assert answer.cut.startswith("cut at 1 MB")


def test_an_answer_that_just_fits_is_not_cut(database: Engine, settings: Settings) -> None:
    assert not ask(settings, "SELECT generate_series(1, 1000)", SHORT).cut


def test_an_answer_has_values_and_names_of_its_own(database: Engine, settings: Settings) -> None:
    question = """SELECT 10 % 3 AS a, 'x' LIKE 'x%' AS a, '{"b": [1]}'::jsonb, NULL AS n, count(*) FROM events; """
    assert ask(settings, question, Limits()) == Answer(
        ("a", "a_2", "jsonb", "n", "count"), [(1, True, {"b": [1]}, None, 0)]
    )


def test_an_empty_answer_still_has_its_columns(database: Engine, settings: Settings) -> None:
    assert ask(settings, "SELECT event_id FROM events -- all", Limits()) == Answer(("event_id",))


def test_a_server_that_answers_to_nothing_any_more_is_hung_up_on(database: Engine, settings: Settings) -> None:
    asleep = text("SELECT pid FROM pg_stat_activity WHERE usename = 'rustbucket_reader' AND query LIKE '%FETCH%'")
    stopped: list[int] = []
    begun = time.monotonic()

    def freeze() -> None:
        with database.connect() as connection:
            while time.monotonic() < begun + 30 and not stopped:
                stopped.extend(connection.execute(asleep).scalars())
                connection.rollback()
        os.kill(stopped[0], signal.SIGSTOP)

    freezing = threading.Thread(target=freeze)
    freezing.start()
    try:
        with pytest.raises(UsageError, match="it took over 3 s"):
            ask(settings, "SELECT pg_sleep(60)", Limits(seconds=3))
    finally:
        freezing.join()
        os.kill(stopped[0], signal.SIGCONT)
