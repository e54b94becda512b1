"""Dagster's own commands on a registered fleet, no variable set; and what the UI then knows of it."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines, json_line
from rustbucket_pipeline_tests.e2e.checkout import Checkout, free_port, graphql, wait_for

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
KEY = f"{MIDNIGHT:%Y-%m-%d}-00:00"

LATE_KEY = f"{MIDNIGHT:%Y-%m-%d}-00:30"
NEXT_KEY = f"{MIDNIGHT:%Y-%m-%d}-01:00"
CHAIN = ("log_archives", "parsed_logs", "window_digest", "log_analysis")

CHECKS = """query ($asset: AssetKeyInput!) { node: assetNodeOrError(assetKey: $asset) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status } } } } } } }"""
MATERIALIZATIONS = """query ($asset: AssetKeyInput!) { assetNodeOrError(assetKey: $asset) { ... on AssetNode {
  assetMaterializations(partitions: ["%s"]) { timestamp } } } }"""
RUNS = "{ runsOrError { ... on Runs { results { status jobName tags { key value } } } } }"
PARTITIONS = """query ($asset: AssetKeyInput!) { assetNodeOrError(assetKey: $asset) { ... on AssetNode {
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
  staleStatusByPartition(partitions: ["%s"]) } } }"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A fleet of one, whose uploader left one hour of yesterday; archived, parsed and analysed by hand."""
    checkout = Checkout.at(tmp_path_factory.mktemp("e2e") / "my checkout")
    checkout.upload(f"rustbucket.log.{MIDNIGHT:%Y-%m-%d}-00", hour_of_lines(MIDNIGHT))
    checkout.rustbucket("fleet", "add", "one", "--logs", checkout.uploads.as_uri())
    checkout.rustbucket("fleet", "approve", "BKT100001")
    yield checkout
    embedded.down(checkout.root / ".rustbucket")


@pytest.fixture(scope="module")
def materialized(checkout: Checkout) -> Checkout:
    for asset in ("log_archives", "parsed_logs", "window_digest", "log_analysis"):
        checkout.materialize(asset, KEY)
    return checkout


@pytest.fixture
def ui(materialized: Checkout) -> Iterator[int]:
    """The port of a web server on that checkout."""
    port = free_port()
    server = materialized.start("dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", "workspace.yaml")
    try:
        wait_for(port, server)
        yield port
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(90)


def test_each_asset_is_materialized_by_hand_and_the_report_is_there(materialized: Checkout) -> None:
    report = materialized.rustbucket("report", KEY)
    assert "complete: " in report.stdout
    assert "60 " in report.stdout or "120 " in report.stdout


def test_the_ui_sees_the_runs_and_late_data_makes_its_own_window_stale_and_no_other(
    materialized: Checkout, ui: int
) -> None:
    statuses = [run["status"] for run in graphql(ui, RUNS)["runsOrError"]["results"]]
    assert statuses.count("SUCCESS") == 4
    assert all(is_materialized(ui, asset) for asset in CHAIN)
    assert stale(ui) == dict.fromkeys(CHAIN, "FRESH")
    assert {check["name"]: check["status"] for check in checks(ui)} == {
        "segments_match_store": "SUCCEEDED",
        "segments_follow_each_other": "SUCCEEDED",
        "no_gaps_in_last_48h": "FAILED",
        "every_active_rustbucket_reporting": "FAILED",
        "windows_chained": "SUCCEEDED",
        "newest_windows_built": "FAILED",
        "hours_accounted": "SUCCEEDED",
        "every_byte_accounted": "SUCCEEDED",
        "nothing_counts_twice": "SUCCEEDED",
        "quarantine_rate": "SUCCEEDED",
        "no_unknown_templates": "SUCCEEDED",
        "findings_cite_rows": "SUCCEEDED",
        "claude_explained": "SUCCEEDED",
    }

    materialized.materialize("log_archives", NEXT_KEY)
    assert stale(ui) == dict.fromkeys(CHAIN, "FRESH")
    assert times_materialized(ui, LATE_KEY) == 1

    late = json_line(MIDNIGHT + timedelta(minutes=59), "late")
    materialized.upload(f"rustbucket.log.{MIDNIGHT:%Y-%m-%d}-01", late)
    materialized.materialize("log_archives", NEXT_KEY)
    assert times_materialized(ui, LATE_KEY) == 2
    assert stale(ui) == {**dict.fromkeys(CHAIN, "FRESH"), "parsed_logs": "STALE"}


def is_materialized(ui: int, asset: str) -> bool:
    node = graphql(ui, PARTITIONS % KEY, asset={"path": [asset]})["assetNodeOrError"]
    ranges = node["assetPartitionStatuses"]["ranges"]
    return any(found["startKey"] <= KEY <= found["endKey"] and found["status"] == "MATERIALIZED" for found in ranges)


def checks(ui: int) -> list[dict[str, str]]:
    """Every check of the chain, and how it came out last: one hour came, so the silence since is no success."""
    found: list[dict[str, str]] = []
    for asset in CHAIN:
        answer = graphql(ui, CHECKS, asset={"path": [asset]})["node"]["assetChecksOrError"]["checks"]
        found += [
            {"name": check["name"], "status": check["executionForLatestMaterialization"]["status"]} for check in answer
        ]
    return found


def stale(ui: int) -> dict[str, str]:
    """Each asset's staleness in the window of midnight, as the UI shows it."""
    nodes = {asset: graphql(ui, PARTITIONS % KEY, asset={"path": [asset]})["assetNodeOrError"] for asset in CHAIN}
    return {asset: node["staleStatusByPartition"][0] for asset, node in nodes.items()}


def times_materialized(ui: int, key: str) -> int:
    node = graphql(ui, MATERIALIZATIONS % key, asset={"path": ["log_archives"]})["assetNodeOrError"]
    return len(node["assetMaterializations"])


@pytest.mark.parametrize("key", [f"{MIDNIGHT:%Y-%m-%d}-00:07", "2999-01-01-00:00"])
def test_a_bad_partition_key_fails_and_is_named(materialized: Checkout, key: str) -> None:
    refused = materialized.materialize("window_digest", key, check=False)
    assert refused.returncode != 0
    assert key in refused.stdout + refused.stderr
