"""Pruning Dagster's history on its real storage: what GraphQL says of assets is the same before and after."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.freshness import FreshnessDaemon
from dagster_graphql.schema import create_schema
from sqlalchemy import Engine, text

from rustbucket_pipeline.control.history import open_history
from rustbucket_pipeline.control.pruning import Pruned, prune
from rustbucket_pipeline.control.runs import QUIET
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings
from rustbucket_pipeline_tests.control.small_definitions import PARTITIONS, defs

VIEW = """
query ($assets: [AssetKeyInput!]!, $partitions: [String!]!, $parted: Boolean!) {
  assetNodes(assetKeys: $assets) {
    assetKey { path }
    staleStatus
    staleStatusByPartition(partitions: $partitions) @include(if: $parted)
    staleCausesByPartition(partitions: $partitions) @include(if: $parted) { reason category dependency { path } }
    dataVersion
    dataVersionByPartition(partitions: $partitions) @include(if: $parted)
    freshnessStatusInfo { freshnessStatus }
    partitionStats { numMaterialized numPartitions numFailed numMaterializing }
    assetPartitionStatuses {
      ... on DefaultPartitionStatuses { materializedPartitions failedPartitions materializingPartitions }
    }
    latestMaterializationByPartition(partitions: $partitions) @include(if: $parted) {
      timestamp partition metadataEntries { label ... on IntMetadataEntry { intValue } } tags { key value }
    }
    assetMaterializations(limit: 1) { timestamp partition }
    assetChecksOrError {
      ... on AssetChecks { checks {
        name executionForLatestMaterialization { status evaluation { success timestamp } }
      } }
    }
  }
}
"""


@pytest.fixture
def instance(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance of our own `dagster.yaml`, in a real PostgreSQL."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def history(instance: dg.DagsterInstance, settings: Settings) -> Iterator[Engine]:
    engine = open_history(settings)
    yield engine
    engine.dispose()


def run(instance: dg.DagsterInstance, asset: str, partition: str | None = None, **tags: str) -> str:
    done = defs.resolve_job_def(f"build_{asset}").execute_in_process(
        instance=instance, partition_key=partition, tags=tags, raise_on_error=False, run_config=QUIET
    )
    return done.run_id


@pytest.fixture
def lived(instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """A history with every kind of status: fresh, stale, rebuilt to the same, back to an older version, failed."""
    for partition in ("fresh", "stale", "idle", "back"):
        run(instance, "up", partition, version="v1")
        run(instance, "down", partition)
    run(instance, "up", "stale", version="v2")
    for version, partition in (("v1", "idle"), ("v1", "idle"), ("v2", "back"), ("v1", "back")):
        run(instance, "up", partition, version=version)
    run(instance, "up", "failed", fail="yes")
    run(instance, "up", "broken")
    run(instance, "up", "broken", fail="yes")
    run(instance, "single")
    run(instance, "single", bad="yes")
    for version in ("o1", "o2"):
        seen = dg.AssetObservation("outside", partition="fresh", tags={"dagster/data_version": version})
        instance.report_runless_asset_event(seen)
        made = dg.AssetMaterialization("up", partition="fresh", tags={"dagster/data_version": version})
        instance.report_runless_asset_event(made)
    return instance


NAMED = (
    "SELECT run_id FROM event_logs UNION SELECT run_id FROM run_tags UNION SELECT run_id FROM asset_check_executions"
)

Look = Callable[[], dict[str, Any]]


@pytest.fixture
def look(lived: dg.DagsterInstance) -> Iterator[Look]:
    """What GraphQL says of every asset."""
    origin = LoadableTargetOrigin(python_file=str(Path(__file__).with_name("small_definitions.py")), attribute="defs")
    target = InProcessTestWorkspaceLoadTarget(InProcessCodeLocationOrigin(origin))
    with WorkspaceProcessContext(lived, target) as workspace:
        list(FreshnessDaemon().run_iteration(workspace))

        def ask() -> dict[str, Any]:
            schema, context = create_schema(), workspace.create_request_context()
            nodes = dict[str, Any]()
            for assets, parted in ((("up", "down", "outside"), True), (("single",), False)):
                keys = [{"path": [asset]} for asset in assets]
                variables = {"assets": keys, "partitions": PARTITIONS.get_partition_keys(), "parted": parted}
                asked = schema.execute_async(VIEW, context_value=context, variable_values=variables)
                answer = asyncio.run(asked)
                assert not answer.errors
                nodes |= {node["assetKey"]["path"][0]: node for node in answer.data["assetNodes"]}
            return nodes

        yield ask


def forget_nothing(run_id: str) -> None: ...


def prune_all(history: Engine, **options: Any) -> Pruned:
    """As if everything that ended until now were old."""
    forget = options.pop("forget", forget_nothing)
    return prune(history, datetime.now(UTC) + timedelta(minutes=1), forget, **options)


def counts(history: Engine) -> dict[str, int]:
    tables = ("runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions")
    with history.connect() as connection:
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def test_statuses_staleness_freshness_and_checks_are_the_same_before_and_after(
    look: Look, lived: dg.DagsterInstance, history: Engine
) -> None:
    before, size = look(), counts(history)
    stale = dict(zip(PARTITIONS.get_partition_keys(), before["down"]["staleStatusByPartition"], strict=True))
    assert (stale["stale"], stale["idle"], stale["back"]) == ("STALE", "FRESH", "FRESH")
    assert before["up"]["assetPartitionStatuses"]["failedPartitions"] == ["broken", "failed"]
    assert before["single"]["freshnessStatusInfo"]["freshnessStatus"] == "HEALTHY"
    pruned = prune_all(history)
    assert pruned.runs > 10
    after = counts(history)
    assert all(after[table] < size[table] for table in after)
    assert look() == before
    for name in before:
        lived.event_log_storage.wipe_asset_cached_status(dg.AssetKey(name))
    assert look() == before


def test_pruning_again_changes_nothing(lived: dg.DagsterInstance, history: Engine) -> None:
    prune_all(history)
    size = counts(history)
    assert prune_all(history) == Pruned(0, 0, 0, 0, 0, more=False)
    assert counts(history) == size


def test_a_dry_run_counts_the_same_and_changes_nothing(lived: dg.DagsterInstance, history: Engine) -> None:
    size, gone = counts(history), list[str]()
    counted = prune_all(history, dry_run=True, forget=gone.append)
    assert (counts(history), gone) == (size, [])
    assert prune_all(history, forget=gone.append) == counted
    assert len(gone) == counted.runs


def test_what_is_younger_stays_and_no_more_goes_at_once_than_asked(lived: dg.DagsterInstance, history: Engine) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert prune(history, yesterday, forget_nothing) == Pruned(0, 0, 0, 0, 0, more=False)
    some = prune_all(history, most=3)
    assert (some.runs, some.more) == (3, True)


def test_a_pruning_killed_between_output_and_run_is_completed_by_the_next(
    look: Look, lived: dg.DagsterInstance, history: Engine
) -> None:
    before, gone = look(), list[str]()

    def killed(run_id: str) -> None:
        gone.append(run_id)
        if len(gone) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune_all(history, forget=killed)
    assert look() == before
    again = list[str]()
    prune_all(history, forget=again.append)
    assert set(gone) <= set(again)
    assert look() == before


def test_what_outlives_its_run_says_it_has_none(look: Look, lived: dg.DagsterInstance, history: Engine) -> None:
    prune_all(history)
    (newest,) = lived.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey("down"), asset_partitions=["idle"]), 9
    ).records
    assert newest.run_id == ""
    runs = {record.dagster_run.run_id for record in lived.get_run_records()}
    with history.connect() as connection:
        named = set(connection.execute(text(NAMED)).scalars())
    assert named <= runs | {""}


def test_a_check_that_never_came_keeps_its_run(lived: dg.DagsterInstance, history: Engine) -> None:
    missed = run(lived, "single", fail="yes")
    run(lived, "up", "fresh")
    prune_all(history)
    key = dg.AssetCheckKey(dg.AssetKey("single"), "inline")
    record = lived.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert (record.run_id, record.status) == (missed, AssetCheckExecutionRecordStatus.PLANNED)
    assert lived.get_run_by_id(missed) is not None
