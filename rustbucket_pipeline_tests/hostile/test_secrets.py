"""No secret of ours in anything the pipeline writes of itself: output, job logs, Dagster's records, alerts, metadata.

Every secret that can be set is planted, and every service refuses or hangs up, so that whatever tells of an error does.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection, create_engine, make_url, text

from rustbucket_pipeline.settings import PROJECT_ROOT

PASSWORD, KEY, CLOUD, HOOK, DSN = (
    "planted-pass-1",
    "sk-ant-planted-2",
    "planted-cloud-3",
    "planted-hook-4",
    "plantedsentry5",
)
SEALING = Fernet.generate_key().decode()
PLANTED = (PASSWORD, KEY, CLOUD, HOOK, DSN, SEALING)


def refused() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """Everything configured, each with a secret, and nothing there but the database."""
    port = refused()
    return {
        **os.environ,
        "DAGSTER_HOME": str(PROJECT_ROOT),
        "RUSTBUCKET_HOME": str(tmp_path / "home"),
        "RUSTBUCKET_DATABASE_URL": make_url(database_url).set(password=PASSWORD).render_as_string(hide_password=False),
        "RUSTBUCKET_ARCHIVE_URL": "s3://bucket/archive",
        "RUSTBUCKET_S3_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": CLOUD,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_BASE_URL": f"http://127.0.0.1:{port}",
        "RUSTBUCKET_NOTIFY_URLS": f"json://{HOOK}:{HOOK}@127.0.0.1:{port}/{HOOK}",
        "SENTRY_DSN": f"http://{DSN}@127.0.0.1:{port}/1",
        "RUSTBUCKET_SECRET_KEYS": SEALING,
    }


def rustbucket(environment: Mapping[str, str], *arguments: str) -> str:
    """All that a command prints, whatever becomes of it."""
    command = [sys.executable, "-m", "rustbucket_pipeline.cli", *arguments]
    ran = subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, timeout=120, check=False)
    return (ran.stdout + ran.stderr).decode("utf-8", "backslashreplace")


def leaked(said: str) -> list[str]:
    return [secret for secret in PLANTED if secret in said]


@pytest.mark.long
def test_nothing_we_write_of_ourselves_holds_a_secret(
    environment: dict[str, str], tmp_path: Path, server: Connection, database_url: str
) -> None:
    checked = rustbucket(environment, "upkeep", "run", "integrations_check", "--alert")
    assert "3 of 3 need somebody" in checked
    assert leaked(checked) == []
    elsewhere = f"postgresql://me:{PASSWORD}@127.0.0.1:{refused()}/none"
    down = rustbucket({**environment, "RUSTBUCKET_DATABASE_URL": elsewhere}, "stats")
    assert "127.0.0.1" in down
    assert leaked(down) == []

    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file() and path.name != "secret.keys"]
    assert any(path.parts[-3:-1] == ("logs", "jobs") for path in files), files
    assert {
        str(path): leaked(path.read_bytes().decode("latin-1"))
        for path in files
        if leaked(path.read_bytes().decode("latin-1"))
    } == {}
    assert leaked(everything_in(server, database_url)) == []


def test_the_test_would_notice(environment: dict[str, str]) -> None:
    assert set(leaked(" ".join(environment.values()))) == set(PLANTED)


def everything_in(server: Connection, database_url: str) -> str:
    """All rows of our tables and Dagster's, as text."""
    ours = make_url(database_url).set(drivername="postgresql+psycopg")
    said: list[str] = []
    for url in (ours, ours.set(database=f"{ours.database}_dagster")):
        engine = create_engine(url)
        with engine.connect() as connection:
            tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
            for table in tables:
                said += map(str, connection.scalars(text(f'SELECT t::text FROM "{table}" AS t')))
        engine.dispose()
        assert said, url
    return "\n".join(said)
