"""`rustbucket events`: rows as a table, CSV, JSON and Parquet; SQL as the reader; hours parsed again."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.cli.conftest import Command
from rustbucket_pipeline_tests.events.conftest import ArchivedHour

DAY = ("--from", "2026-03-02")
NASTY = '=HYPERLINK(\\"http://x\\")\\n\\u001b[2J\\u202e'


@pytest.fixture
def hour(database: Engine, archive: Archive) -> ArchivedHour:
    """Two commands and a login, built."""
    hour = ArchivedHour(database, archive)
    head = '{"timestamp":"2026-03-02T00:00:%s.5Z","level":"INFO","fields":{"message":'
    tail = '},"target":"rustbucket::protocols::ssh"}\n'
    lines = [
        f'"Command received","event_type":"command","protocol":"SSH","command":"{NASTY}"',
        '"Exec request","event_type":"command","protocol":"SSH","client_ip":"192.0.2.7:22","command":"id"',
        '"Authentication attempt","protocol":"SSH","client_ip":"192.0.2.7:22","username":"root","password":"@SUM"',
    ]
    hour.log("".join(head % f"{at:02}" + line + tail for at, line in enumerate(lines)).encode())
    hour.build()
    return hour


def test_a_table_in_a_pipe_is_a_line_per_row_newest_first(command: Command, hour: ArchivedHour) -> None:
    ended = command("events", "query", *DAY)
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert ended.code == 0
    assert [line[5] for line in lines] == [
        "root : @SUM",
        "id",
        '=HYPERLINK("http://x")\\n\\x1b[2J\\u202e',
    ]
    assert [line[0] for line in lines] == [f"2026-03-02T00:00:0{at}.500000Z" for at in (2, 1, 0)]
    assert lines[0][6] == hour.rows("select event_id from log_events where password is not null")[0]["event_id"]


def test_rows_in_csv_are_inert_and_one_line_each(command: Command, hour: ArchivedHour) -> None:
    ended = command("events", "query", *DAY, "--format", "csv", "--columns", "command,password")
    assert ended.out.isascii()
    assert list(csv.reader(ended.out.splitlines())) == [
        ["command", "password"],
        ["", "'@SUM"],
        ["id", ""],
        ['\'=HYPERLINK("http://x")\\n\\x1b[2J\\u202e', ""],
    ]


def test_rows_in_json_and_parquet_are_exact(command: Command, hour: ArchivedHour, tmp_path: Path) -> None:
    exact = json.loads(f'"{NASTY}"')
    asked = ("events", "query", *DAY, "--command-like", "hyperlink", "--columns", "command,event_ts")
    expected = {"command": exact, "event_ts": "2026-03-02T00:00:00.500000Z"}
    assert json.loads(command(*asked, "--format", "json").out) == [expected]
    assert json.loads(command(*asked, "--format", "jsonl").out) == expected
    table = tmp_path / "rows.parquet"
    assert command(*asked, "--format", "parquet", "--output", str(table)).code == 0
    assert pd.read_parquet(table)["command"].tolist() == [exact]
    assert not list(tmp_path.glob(".*"))


def test_a_limit_holds_for_every_format(command: Command, hour: ArchivedHour) -> None:
    for form in ("table", "csv", "jsonl"):
        lines = command("events", "query", *DAY, "--limit", "1", "--format", form).out.splitlines()
        assert len(lines) == (2 if form == "csv" else 1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--from", "yesterday"), "is no time"),
        (("--type", "login"), "there are authentication, command"),
        (("--protocol", "gopher"), "there are ftp, http"),
        (("--src-ip", "example.org"), "neither an address nor a network"),
        (("--columns", "token"), "no column 'token'"),
        (("--rustbucket", "BKT999"), "fleet list"),
        (("--output", "x.txt"), "--format csv"),
        (("--sql", "SELECT 1", "--type", "command"), "--sql goes by itself"),
        (("--sql", "COPY events TO PROGRAM 'id'"), "may only read; give one SELECT"),
        (("--sql", "SELECT pg_read_file('/etc/passwd')"), "permission denied for function pg_read_file"),
        (("--sql", "SELECT set_config('role', 'postgres', false)"), "permission denied for function set_config"),
        (("--sql", "SELECT token FROM rustbuckets"), "permission denied for table rustbuckets"),
        (("--sql", "DELETE FROM events"), "may only read; give one SELECT"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    command: Command, hour: ArchivedHour, wrong: tuple[str, ...], told: str
) -> None:
    ended = command("events", "query", *wrong)
    assert (ended.code, ended.raw) == (2, b"")
    assert told in ended.err
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1


def test_sql_answers_in_every_format(command: Command, hour: ArchivedHour, tmp_path: Path) -> None:
    asked = ("events", "query", "--sql", "SELECT event_type, count(*) AS n FROM events GROUP BY 1 ORDER BY 1")
    assert command(*asked).out.splitlines() == ["authentication\t1", "command\t2"]
    assert command(*asked, "--format", "csv").out.splitlines() == ["event_type,n", "authentication,1", "command,2"]
    expected = [{"event_type": "authentication", "n": 1}, {"event_type": "command", "n": 2}]
    assert json.loads(command(*asked, "--format", "json").out) == expected
    table = tmp_path / "answer.parquet"
    command(*asked, "--format", "parquet", "--output", str(table))
    assert pd.read_parquet(table).to_dict("records") == expected


def test_an_answer_that_is_cut_says_so_beside_it(command: Command, hour: ArchivedHour) -> None:
    ended = command(
        "events", "query", "--sql", "SELECT * FROM generate_series(1, 100000) a, generate_series(1, 10000) b"
    )
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 100_000
    assert ended.err == "cut at 100,000 rows; narrow the question, or count and group in it\n"


def test_a_replay_that_would_change_nothing_says_so(command: Command, hour: ArchivedHour) -> None:
    ended = command("events", "replay", *DAY, "--diff")
    assert ended.code == 0
    assert ended.out == "✓ 2026-03-02 00:00–01:00 UTC  3 as they are\n"


def test_a_replay_shows_what_would_change_and_changes_nothing(command: Command, hour: ArchivedHour) -> None:
    with hour.database.begin() as connection:
        connection.execute(text("update log_events set command = E'\\x1b[2J' where command = 'id'"))
        connection.execute(text("delete from log_events where password is not null"))
    for _ in range(2):
        ended = command("events", "replay", *DAY, "--diff", "--rustbucket", "BKT100001")
        assert ended.code == 1
        assert "1 changed, 1 added; 1 as they are" in ended.out
        assert "command: \\x1b[2J → id" in ended.out
        assert "Authentication attempt" in ended.out
    [told] = json.loads(command("events", "replay", *DAY, "--diff", "--json").out)
    assert (told["changed"], told["columns"], told["window"]) == (1, {"command": 1}, "2026-03-02-00:00")


def test_a_replay_builds_the_hours_again(command: Command, hour: ArchivedHour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTBUCKET_SINCE", "2026-03-01T00:00:00+00:00")
    with hour.database.begin() as connection:
        connection.execute(text("delete from log_events where command = 'id'"))
        connection.execute(text("update window_builds set output_version = 'old'"))
    ended = command("events", "replay", *DAY, "--to", "2026-03-03")
    assert ended.code == 0, ended.err
    assert ended.out == "2026-03-02-00:00\t3\t3\t0\t0\tchanged\n"
    assert len(hour.rows()) == 3
    [told] = json.loads(command("events", "replay", *DAY, "--json").out)
    assert told["before"] == told["after"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--from", "2020-01-01", "--to", "2020-01-02"), "nothing is archived"),
        ((*DAY, "--rustbucket", "BKT100001"), "--rustbucket goes with --diff"),
    ],
)
def test_a_replay_of_nothing_is_a_mistake(
    command: Command, hour: ArchivedHour, wrong: tuple[str, ...], told: str
) -> None:
    ended = command("events", "replay", *wrong)
    assert ended.code == 2
    assert told in ended.err
