"""A history of another Dagster: refused by every process, taken along by `rustbucket db upgrade`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import dagster_postgres
import pytest
from dagster._core.storage.sql import get_alembic_config, run_alembic_downgrade
from sqlalchemy import URL, Engine, create_engine, inspect, text

from rustbucket_pipeline.control.history import prepare_history
from rustbucket_pipeline.control.history_schema import schema_of, upgrade_history
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings

OLDER = "46b412388816"
"""The schema of Dagster 1.6 (December 2023): four tables, columns and indexes fewer than today's."""

KEY = dg.AssetKey("kept")


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def kept() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3}, data_version=dg.DataVersion("v1"))


@pytest.fixture
def home(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    return settings


@pytest.fixture
def older(home: Settings) -> Iterator[Engine]:
    """The database of a history in use, at the schema of an older Dagster."""
    with dg.DagsterInstance.get() as instance:
        assert dg.materialize([kept], partition_key="a", instance=instance).success
    engine = downgraded(prepare_history(home))
    yield engine
    engine.dispose()


def downgraded(url: URL) -> Engine:
    engine = create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        config = get_alembic_config(dagster_postgres.event_log.event_log.__file__, "../alembic/alembic.ini")
        run_alembic_downgrade(config, connection, OLDER)
    assert not inspect(engine).has_table("backfill_tags")
    assert "backfill_id" not in {column["name"] for column in inspect(engine).get_columns("runs")}
    return engine


def test_an_older_history_is_refused_until_it_is_upgraded_and_nothing_of_it_is_lost(
    older: Engine, home: Settings
) -> None:
    with pytest.raises(ConfigurationError, match="rustbucket db upgrade"):
        dg.DagsterInstance.get()
    assert upgrade_history(home) == upgrade_history(home) == schema_of(older)
    assert schema_of(older).ready
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_run_records()
        assert run.dagster_run.is_success
        (record,) = instance.fetch_materializations(KEY, limit=9).records
        assert record.partition_key == "a"
        assert record.run_id == run.dagster_run.run_id
        assert record.asset_materialization is not None
        assert record.asset_materialization.metadata["rows"] == dg.IntMetadataValue(3)
        assert dg.materialize([kept], partition_key="b", instance=instance).success
        assert instance.get_materialized_partitions(KEY) == {"a", "b"}


def test_every_program_of_dagster_says_what_to_do_and_the_command_does_it(older: Engine, tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": os.defpath}
    listing = [sys.executable, "-m", "dagster", "run", "list"]
    refused = subprocess.run(listing, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "run `rustbucket db upgrade`" in refused.stderr
    main = "from rustbucket_pipeline.cli.main import main; main()"
    upgraded = subprocess.run(
        [sys.executable, "-c", main, "db", "upgrade"], env=environment, capture_output=True, text=True, check=False
    )
    assert upgraded.returncode == 0, upgraded.stderr
    assert f"Dagster's history is at {schema_of(older).head}" in upgraded.stdout + upgraded.stderr
    listed = subprocess.run(listing, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert "Run: " in listed.stdout


def test_a_history_that_a_newer_dagster_wrote_is_refused_by_everybody(older: Engine, home: Settings) -> None:
    with older.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'fromthefuture'"))
    with pytest.raises(ConfigurationError, match="a newer Dagster"):
        dg.DagsterInstance.get()
    with pytest.raises(ConfigurationError, match="a newer Dagster"):
        upgrade_history(home)


def test_the_history_of_an_embedded_server_is_upgraded_by_its_first_use(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(own_home))
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    settings = Settings(RUSTBUCKET_HOME=own_home)
    engine = downgraded(prepare_history(settings))
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs_count() == 0
    assert schema_of(engine).ready
    engine.dispose()


def test_without_a_history_there_is_nothing_to_upgrade(home: Settings) -> None:
    assert upgrade_history(home) is None
