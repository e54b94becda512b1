"""Dagster's history: one for every process of a home, made on first use, whoever comes first and whoever is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Connection, text

from rustbucket_pipeline.control.history import prepare_history
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings
from rustbucket_pipeline.storage import databases, embedded

RUN = """
import dagster as dg

@dg.op
def nothing(): ...

@dg.job
def idle(): nothing()

with dg.DagsterInstance.get() as instance:
    idle.execute_in_process(instance=instance)
    print(instance.get_runs_count())
"""


@pytest.fixture
def instance(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    """The instance of our own `dagster.yaml`, on a cold home."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(own_home))
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    return dg.DagsterInstance.get()


@dg.op
def nothing() -> None: ...


@dg.job
def idle() -> None:
    nothing()


def test_processes_that_meet_on_a_cold_home_share_one_history_from_any_directory(
    own_home: Path, tmp_path: Path
) -> None:
    variables = {"PATH": os.defpath, "RUSTBUCKET_HOME": str(own_home), "DAGSTER_HOME": str(PROJECT_ROOT)}
    processes = [
        subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, env=variables, cwd=tmp_path)
        for _ in range(2)
    ]
    counts = [int(process.communicate(timeout=120)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert max(counts) == 2
    assert list(tmp_path.iterdir()) == []


def test_what_dagster_keeps_in_files_lies_in_the_home(instance: dg.DagsterInstance, own_home: Path) -> None:
    before = set(PROJECT_ROOT.iterdir())
    result = idle.execute_in_process(instance=instance)
    assert instance.get_run_by_id(result.run_id) is not None
    assert any((own_home / "dagster" / "compute_logs").rglob("*.err"))
    assert not {"storage", "history", "schedules", ".telemetry", ".logs_queue"} & {
        path.name for path in set(PROJECT_ROOT.iterdir()) - before
    }


def test_a_server_killed_under_dagster_is_started_again_by_its_next_query(
    instance: dg.DagsterInstance, own_home: Path
) -> None:
    idle.execute_in_process(instance=instance)
    os.kill(int((own_home / "pg/postmaster.pid").read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
    assert instance.get_runs_count() == 1


def test_a_history_whose_making_was_interrupted_is_made_anew(own_home: Path) -> None:
    settings = Settings(RUSTBUCKET_HOME=own_home)
    embedded.ensure(own_home)
    with databases.maintenance(settings) as connection:
        databases.create(connection, "dagster_unfinished")
    assert prepare_history(settings) == prepare_history(settings)
    with databases.maintenance(settings) as connection:
        assert databases.exists(connection, "dagster")
        assert not databases.exists(connection, "dagster_unfinished")


def test_an_external_server_keeps_the_history_beside_our_database(settings: Settings, server: Connection) -> None:
    url = prepare_history(settings)
    names = server.execute(text("SELECT datname FROM pg_database WHERE datname LIKE 'test%_dagster'")).scalars().all()
    assert names == [url.database]


def test_an_account_that_may_not_make_databases_is_told_what_to_ask_for(settings: Settings, server: Connection) -> None:
    server.execute(text("CREATE ROLE modest LOGIN"))
    modest = databases.address(settings).set(drivername="postgresql", username="modest").render_as_string()
    try:
        with pytest.raises(ConfigurationError, match=r"CREATE DATABASE \"test_\d+_dagster"):
            prepare_history(Settings(RUSTBUCKET_HOME=settings.home, RUSTBUCKET_DATABASE_URL=modest))
    finally:
        server.execute(text("DROP ROLE modest"))
