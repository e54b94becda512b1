"""`rustbucket doctor` as a person types it: on a home of its own, with the database up and down, and all of it up."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from rustbucket_pipeline.settings import PROJECT_ROOT
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.upkeep_settings import COMPONENTS
from rustbucket_pipeline_tests.alerts.receivers import service
from rustbucket_pipeline_tests.cli.conftest import Command

NOWHERE = "postgresql://nobody:hunter2@127.0.0.1:9/none?connect_timeout=1"


@pytest.fixture
def doctor(recorded: Command) -> Command:
    return recorded


def test_every_component_has_a_line_and_what_is_wrong_says_what_to_do(doctor: Command) -> None:
    ended = doctor("doctor", "--json")
    found = json.loads(ended.out)
    assert {one["component"] for one in found} == set(COMPONENTS)
    wrong = [one for one in found if one["health"] in {"error", "unknown"}]
    assert [(one["subject"], one["do"]) for one in wrong] == [("daemon", "`rustbucket up`, or start its service")]
    assert ended.code == 1
    lines = doctor("doctor").out.splitlines()
    assert len(lines) == len(found) + 1
    assert lines[-1].endswith("1 error")


def test_what_is_well_or_only_warned_of_is_success(doctor: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_CHECK_COMPONENTS", "database,archive,clock,backups")
    ended = doctor("doctor")
    assert ended.code == 0, ended.out
    assert "warning" in ended.out


def test_with_the_database_down_it_says_so_and_looks_at_the_rest_without_its_password(
    doctor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", NOWHERE)
    ended = doctor("doctor", "--json")
    assert ended.code == 1
    found = {one["component"]: one["health"] for one in json.loads(ended.out)}
    assert (found["database"], found["archive"], found["jobs"]) == ("error", "ok", "unknown")
    assert "hunter2" not in ended.out + ended.err


def test_alert_opens_what_follows_and_tells_at_once(
    doctor: Command, monkeypatch: pytest.MonkeyPatch, database: Engine
) -> None:
    with service() as chat:
        monkeypatch.setenv("RUSTBUCKET_NOTIFY_URLS", chat.url)
        doctor("doctor", "--alert")
        assert ["daemon_silent" in message["message"] for message in chat.messages] == [True]
    with database.connect() as connection:
        assert connection.execute(select(alerts.c.kind)).scalars().all() == ["daemon_silent"]


@pytest.mark.long
def test_the_self_test_sees_schedule_jobs_and_statistics_at_work_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rustbucket_pipeline.cli", "doctor", "--self-test", "--json"]
    own = {**os.environ, "RUSTBUCKET_HOME": str(tmp_path / "home"), "DAGSTER_HOME": str(PROJECT_ROOT)}
    ended = subprocess.run(command, env=own, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    assert told["ok"] is True
    assert "poll_fleet ran by its schedule" in told["scheduler"]
    assert "figures kept" in told["statistics"]
    assert "ok" in told["health_report"]
    assert list(tmp_path.glob("*self-test*")) == []
