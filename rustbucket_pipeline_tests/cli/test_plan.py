"""`rustbucket plan` and `rustbucket jobs schedule`, as a person types them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from rustbucket_pipeline.control.timetable import history
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, window_at, windows_between
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.builds import EMPTY, Build, record_builds
from rustbucket_pipeline.storage.plan_tables import window_requests
from rustbucket_pipeline_tests.cli.conftest import Command

NOW = datetime.now(UTC)
SINCE = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
HOUR_OF_LOGS = window_at(SINCE, HOUR)


@pytest.fixture
def archived(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since yesterday everything was archived; the first hour's logs weren't parsed."""
    monkeypatch.setenv("RUSTBUCKET_SINCE", SINCE.isoformat())
    halves = windows_between(SINCE, NOW + 2 * HOUR, HALF_HOUR)
    outputs = [(half, "logs" if half.start < HOUR_OF_LOGS.end else EMPTY) for half in halves]
    with database.begin() as connection:
        builds = [Build("log_archives", half, "asked", output, "1", None) for half, output in outputs]
        record_builds(connection, builds, NOW + 3 * HOUR)


@pytest.mark.usefixtures("archived")
def test_the_plan_says_what_runs_now_and_why_and_asks_for_nothing(command: Command, database: Engine) -> None:
    ran = command("plan")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"parse_logs\t{HOUR_OF_LOGS}\t1\tnow (heal)\tnever built\n"
    (item,) = json.loads(command("plan", "--json").out)
    assert item | {"detail": ""} == {
        "job": "parse_logs",
        "window": HOUR_OF_LOGS.key,
        "standing": "due",
        "taker": "heal",
        "when": "now (heal)",
        "why": "never built",
        "detail": "",
        "tries": 0,
        "given_up": False,
    }
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(window_requests)).scalar_one() == 0


@pytest.mark.usefixtures("archived")
def test_a_plan_too_long_to_show_is_counted(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTBUCKET_SINCE", (SINCE - timedelta(days=1)).isoformat())
    lines = command("plan", "--limit", "1").out.splitlines()
    assert lines[0].split("\t")[2] == "1"
    assert lines[-1] == "… and 48 windows more; --limit shows them"


def test_a_job_s_ticks_are_moved_and_it_is_noted_by_whom(command: Command, tmp_path: Path) -> None:
    ran = command("jobs", "schedule", "parse_logs", "--every", "30m", "--timezone", "Europe/Berlin", "--off")
    assert (ran.code, ran.err) == (0, "")
    first, second = ran.out.splitlines()
    assert first == "parse_logs: */30 * * * * (Europe/Berlin), off unless switched in the UI"
    assert second.startswith("next tick ")
    assert second.endswith("UTC; no system runs now")
    (change,) = history(Settings(RUSTBUCKET_HOME=tmp_path / "home"))
    assert (change.job, change.cron, change.on) == ("parse_logs", "*/30 * * * *", False)
    assert change.by
    assert NOW - timedelta(minutes=1) < change.at


def test_test_mode_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTBUCKET_TEST_MODE", "1")
    assert "TEST MODE" in command("jobs", "schedule", "parse_logs", "--cron", "7 * * * *").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nightly", "--every", "1h"), "no job 'nightly'"),
        (("parse_logs", "--every", "7m"), "no cadence"),
        (("parse_logs", "--cron", "7 *"), "no cron"),
        (("parse_logs", "--timezone", "Mars"), "no time zone"),
        (("parse_logs",), "say what to change"),
        (("parse_logs", "--every", "1h", "--cron", "7 * * * *"), "use one of them"),
    ],
)
def test_every_mistake_is_one_clear_line(command: Command, arguments: tuple[str, ...], said: str) -> None:
    ran = command("jobs", "schedule", *arguments)
    assert (ran.code, ran.raw, ran.err.count("\n")) == (2, b"", 1)
    assert said in ran.err
