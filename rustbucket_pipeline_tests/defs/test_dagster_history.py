"""The job that prunes Dagster's history, as the daemon runs it: on its own history, with real run output."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text

from rustbucket_pipeline.control.history import open_history
from rustbucket_pipeline.control.runs import QUIET, load_definitions
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings, load_settings

OLD = "UPDATE runs SET update_timestamp = update_timestamp - CAST(:age AS interval) WHERE run_id = ANY (:runs)"


@pytest.fixture
def instance(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    with dg.DagsterInstance.get() as instance:
        yield instance


def age(runs: list[str], days: int) -> None:
    engine = open_history(load_settings())
    with engine.begin() as connection:
        connection.execute(text(OLD), {"age": f"{days} days", "runs": runs})
    engine.dispose()


def prune(instance: dg.DagsterInstance, **config: bool) -> dict[str, object]:
    """Run the job; what it says it did."""
    ops = {"ops": {"dagster_history": {"config": config}}}
    job = load_definitions().resolve_job_def("prune_history")
    done = job.execute_in_process(instance=instance, run_config={**QUIET, **ops})
    (event,) = done.asset_materializations_for_node("dagster_history")
    return {name: value.value for name, value in event.metadata.items()}


def test_runs_of_half_a_year_ago_go_with_what_they_printed_and_their_assets_stay_as_they_are(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    job = load_definitions().resolve_job_def("poll_fleet")
    runs = [job.execute_in_process(instance=instance, run_config=QUIET).run_id for _ in range(3)]
    printed = settings.home / "dagster" / "compute_logs"
    assert set(runs) <= names(printed)
    age(runs[:2], 181)
    assert prune(instance, dry_run=True)["runs"] == 2
    assert all(instance.has_run(run) for run in runs)
    assert set(runs) <= names(printed)
    done = prune(instance)
    assert (done["runs"], done["dry_run"], done["more_to_come"]) == (2, False, False)
    assert [instance.has_run(run) for run in runs] == [False, False, True]
    assert names(printed) & set(runs) == {runs[2]}
    newest = instance.get_latest_materialization_event(dg.AssetKey("fleet_status"))
    assert newest is not None
    assert newest.run_id == runs[2]


def test_how_long_runs_are_kept_is_a_setting(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    job = load_definitions().resolve_job_def("poll_fleet")
    runs = [job.execute_in_process(instance=instance, run_config=QUIET).run_id for _ in range(2)]
    age(runs[:1], 8)
    assert prune(instance)["runs"] == 0
    monkeypatch.setenv("RUSTBUCKET_HISTORY_KEEP_DAYS", "7")
    assert prune(instance)["runs"] == 1


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}
