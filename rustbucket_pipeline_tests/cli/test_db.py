"""`rustbucket db` as a person types it: a process of its own, its output, its exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rustbucket_pipeline.settings import Settings

MAIN = "from rustbucket_pipeline.cli.main import main; main()"
Run = Callable[..., subprocess.CompletedProcess[str]]


def typed(*words: str, **variables: object) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, **{name: str(value) for name, value in variables.items()}}
    command = [sys.executable, "-c", MAIN, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def external(settings: Settings) -> dict[str, object]:
    assert settings.database_url is not None
    return {"RUSTBUCKET_HOME": settings.home, "RUSTBUCKET_DATABASE_URL": settings.database_url.get_secret_value()}


def test_status_tells_people_and_programs_what_there_is(own_home: Path) -> None:
    told = typed("db", "status", RUSTBUCKET_HOME=own_home)
    assert told.returncode == 0, told.stderr
    assert "embedded, PostgreSQL 18" in told.stdout
    found = json.loads(typed("db", "status", "--json", RUSTBUCKET_HOME=own_home).stdout)
    assert found["schema_revision"] is None
    assert found["database_bytes"] > 1_000_000
    assert found["history_bytes"] is None


def test_the_embedded_server_is_upgraded_asked_and_stopped(own_home: Path) -> None:
    assert "the schema is at" in typed("db", "upgrade", RUSTBUCKET_HOME=own_home).stdout
    counted = typed("db", "shell", "-At", "-c", "SELECT count(*) FROM rustbuckets", RUSTBUCKET_HOME=own_home)
    assert counted.stdout == "0\n", counted.stderr
    assert "PostgreSQL is stopped" in typed("db", "down", RUSTBUCKET_HOME=own_home).stdout
    assert "no PostgreSQL was running" in typed("db", "down", RUSTBUCKET_HOME=own_home).stdout


def test_an_external_server_is_shown_but_not_stopped(external: dict[str, object]) -> None:
    assert json.loads(typed("db", "status", "--json", **external).stdout)["server"] == "external"
    refused = typed("db", "down", **external)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: ")


@pytest.mark.parametrize("command", ["status", "upgrade", "shell"])
def test_a_server_that_is_not_there_is_one_line(tmp_path: Path, command: str) -> None:
    url = "postgresql://me:s3cret@127.0.0.1:1/mine"
    failed = typed("db", command, RUSTBUCKET_HOME=tmp_path, RUSTBUCKET_DATABASE_URL=url)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert "127.0.0.1:1/mine" in failed.stderr
    assert "s3cret" not in failed.stderr + failed.stdout


def test_an_unwritable_home_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    failed = typed("db", "status", RUSTBUCKET_HOME=tmp_path / "file" / "home")
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert "set RUSTBUCKET_HOME" in failed.stderr
