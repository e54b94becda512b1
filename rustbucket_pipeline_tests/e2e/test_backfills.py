"""Backfills of every partitioned asset, by each of Dagster's own ways: ranges by hand, and, by the daemon, a month.

Each is a range run: windows are built one by one, each in a transaction of its own, and reported as they finish.
"""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

import dagster as dg
import pytest
from playwright.sync_api import TimeoutError as Late
from sqlalchemy import Engine, text

from docs.pictures.browser import CHROMIUM, opened_browser
from rustbucket_pipeline.control.jobs import CHAIN, Job
from rustbucket_pipeline.model.window import HOUR, Window, windows_between
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines
from rustbucket_pipeline_tests.e2e.checkout import Checkout, free_port, graphql, wait_for
from rustbucket_pipeline_tests.e2e.outage import FAIL_HOUR, MEND_HOUR
from rustbucket_pipeline_tests.e2e.running import eventually

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
FAR, NEAR = MIDNIGHT - timedelta(days=20), MIDNIGHT - timedelta(days=10)
"""Days of which the fleet left hours; its history is the 30 days of a fresh home."""

MONTH = (MIDNIGHT - timedelta(days=29), MIDNIGHT)
LEFT = (1, 2, 6, 10)
ASSETS = [(job, asset) for job in CHAIN for asset in job.assets]
PATIENCE_SECONDS = 900.0
CLICKS = 12

LAUNCH = """mutation ($assets: [PartitionsByAssetSelector!]!) {
  launchPartitionBackfill(backfillParams: { partitionsByAssets: $assets }) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
BACKFILL = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
  status numPartitions runs { runId status tags { key value } } } } }"""
BACKFILLS = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { id status } } } }"
RUNS = "{ runsOrError { ... on Runs { results { status jobName tags { key value } } } } }"
REASONS = """query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
  ... on ExecutionStepFailureEvent { failureMetadata { description } } } } } }"""


@pytest.fixture(scope="module")
def checkout(scratch: Path) -> Iterator[Checkout]:
    """A fleet of one, whose uploader left some hours of two days."""
    checkout = Checkout.at(scratch / "backfills")
    for day in (FAR, NEAR):
        for hour in LEFT:
            start = day + hour * HOUR
            checkout.upload(f"rustbucket.log.{start:%Y-%m-%d-%H}", hour_of_lines(start))
    checkout.rustbucket("fleet", "add", "one", "--logs", checkout.uploads.as_uri())
    checkout.rustbucket("fleet", "approve", "BKT100001")
    for job in CHAIN:
        checkout.rustbucket("jobs", "schedule", job.name, "--off")
    yield checkout
    embedded.down(checkout.root / ".rustbucket")


@pytest.fixture(scope="module")
def database(checkout: Checkout) -> Iterator[Engine]:
    engine = open_database(Settings(RUSTBUCKET_HOME=checkout.root / ".rustbucket"))
    yield engine
    engine.dispose()


@pytest.fixture
def instance(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's history, as its own commands find it."""
    monkeypatch.setenv("DAGSTER_HOME", str(checkout.root))
    with dg.DagsterInstance.get() as instance:
        yield instance


def by_hand(checkout: Checkout, asset: str, windows: list[Window], *, by_dg: bool) -> subprocess.CompletedProcess[str]:
    """Build them by `dg launch` or by `dagster asset materialize`."""
    keys = ("--partition-range", f"{windows[0].key}...{windows[-1].key}")
    if by_dg:
        return checkout.run("dagster_dg_cli.cli", "launch", "--assets", asset, *keys, check=False)
    module = ("-m", "rustbucket_pipeline.definitions")
    return checkout.run("dagster", "asset", "materialize", *module, "--select", asset, *keys, check=False)


@pytest.mark.parametrize(
    ("day", "by_dg"),
    [
        pytest.param(FAR, True, id="dg launch", marks=pytest.mark.long),
        pytest.param(NEAR, False, id="dagster asset materialize"),
    ],
)
def test_a_day_of_every_asset_by_hand(
    checkout: Checkout, database: Engine, instance: dg.DagsterInstance, day: datetime, by_dg: bool
) -> None:
    began = time()
    for job, asset in ASSETS:
        windows = windows_of(job, day, day + timedelta(days=1))
        done = by_hand(checkout, asset, windows, by_dg=by_dg)
        assert done.returncode == 0, done.stderr
        reported = reports(instance, asset, windows, began)
        assert [key for key, _ in reported] == [window.key for window in windows]
        built = builds(database, asset, windows)
        assert len(built) == len(windows)
        if asset != "log_archives":
            assert len({transaction for transaction, _ in built}) == len(windows), "each in a transaction of its own"
            later = zip(reported, built[1:], strict=False)
            assert all(at < next_began for (_, at), (_, next_began) in later), "each is reported before the next begins"


def test_the_windows_that_fail_are_named_at_the_end_and_all_others_are_built(
    checkout: Checkout, database: Engine, instance: dg.DagsterInstance
) -> None:
    day = NEAR - timedelta(days=2)
    bad, hours = Window(day + 2 * HOUR, HOUR), windows_of(CHAIN[1], day, day + timedelta(hours=6))
    checkout.upload(f"rustbucket.log.{bad.start:%Y-%m-%d-%H}", hour_of_lines(bad.start))
    by_hand(
        checkout, "log_archives", windows_of(CHAIN[0], day, day + timedelta(hours=6)), by_dg=False
    ).check_returncode()
    with database.begin() as connection:
        connection.exec_driver_sql(FAIL_HOUR.replace("HOUR", bad.start.isoformat()))
    began = time()
    try:
        refused = by_hand(checkout, "parsed_logs", hours, by_dg=False)
    finally:
        with database.begin() as connection:
            connection.exec_driver_sql(MEND_HOUR)
    assert refused.returncode != 0
    told = next(line for line in refused.stderr.splitlines() if "Failure: 1 windows failed" in line)
    assert [hour.key for hour in hours if hour.key in told] == [bad.key]
    assert {key for key, _ in reports(instance, "parsed_logs", hours, began)} == {hour.key for hour in hours} - {
        bad.key
    }


@pytest.fixture(scope="module")
def ui(checkout: Checkout, database: Engine) -> Iterator[int]:
    """The port of the web UI of `rustbucket up`; every schedule is off, so nothing is healed meanwhile."""
    port = free_port()
    process = checkout.start("rustbucket_pipeline.cli", "up", "--port", str(port))
    wait_for(port, process)
    yield port
    process.send_signal(signal.SIGINT)
    process.wait(90)


@pytest.mark.long
def test_a_month_of_every_asset_by_graphql_is_one_run_each(
    ui: int, instance: dg.DagsterInstance, database: Engine
) -> None:
    began = time()
    for job, asset in ASSETS:
        windows = windows_of(job, *MONTH)
        done = finished(ui, launch(ui, asset, windows))
        assert (done["status"], done["numPartitions"]) == ("COMPLETED_SUCCESS", len(windows))
        assert len(done["runs"]) == 1
        assert {key for key, _ in reports(instance, asset, windows, began)} == {one.key for one in windows}
        assert len(builds(database, asset, windows)) == len(windows)


@pytest.mark.long
def test_a_backfill_by_graphql_fails_for_the_window_that_fails_and_names_it(ui: int, database: Engine) -> None:
    bad, hours = Window(FAR + 2 * HOUR, HOUR), windows_of(CHAIN[1], FAR, FAR + timedelta(hours=4))
    finished(ui, launch(ui, "log_archives", windows_of(CHAIN[0], FAR, FAR + timedelta(hours=4))))
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE hour_counts SET inputs_version = ''")
        connection.exec_driver_sql(FAIL_HOUR.replace("HOUR", bad.start.isoformat()))
    try:
        done = finished(ui, launch(ui, "parsed_logs", hours))
    finally:
        with database.begin() as connection:
            connection.exec_driver_sql(MEND_HOUR)
    assert done["status"] == "COMPLETED_FAILED"
    (run,) = done["runs"]
    (told,) = [
        event["failureMetadata"]["description"]
        for event in graphql(ui, REASONS, id=run["runId"])["logsForRun"]["events"]
        if event.get("failureMetadata")
    ]
    assert [hour.key for hour in hours if hour.key in told] == [bad.key]


@pytest.mark.long
@pytest.mark.parametrize("job", CHAIN, ids=lambda job: job.name)
def test_a_job_backfill_by_command_runs_each_of_its_windows(checkout: Checkout, ui: int, job: Job) -> None:
    windows = windows_of(job, NEAR, NEAR + timedelta(hours=24))[:3]
    names = (
        "--from",
        windows[0].key,
        "--to",
        windows[-1].key,
        "--noprompt",
        "--tags",
        f'{{"{job.name}": "by command"}}',
    )
    workspace = str(checkout.root / ".rustbucket/run/workspace.yaml")
    # Of Dagster's commands this one, alone, doesn't look into the current directory.
    checkout.run("dagster", "job", "backfill", "-w", workspace, "-j", job.name, *names, DAGSTER_HOME=str(checkout.root))

    def runs() -> list[dict[str, Any]]:
        found = graphql(ui, RUNS)["runsOrError"]["results"]
        return [run for run in found if {"key": job.name, "value": "by command"} in run["tags"]]

    def ended() -> bool:
        return [run["status"] in {"SUCCESS", "FAILURE", "CANCELED"} for run in runs()] == [True] * len(windows)

    eventually(ended, 300.0, runs)
    partitions = {tag["value"] for run in runs() for tag in run["tags"] if tag["key"] == "dagster/partition"}
    assert partitions == {window.key for window in windows}
    assert {run["status"] for run in runs()} == {"SUCCESS"}


@pytest.mark.long
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium: `make chromium` installs it")
def test_backfills_by_the_ui_end_well_one_asset_after_the_other(ui: int) -> None:
    for job, asset in ASSETS:
        windows = windows_of(job, FAR, FAR + timedelta(days=1))[:3]
        before = backfills(ui)
        launch_by_the_ui(ui, asset, windows)
        (backfill,) = backfills(ui) - before
        done = finished(ui, backfill)
        ended = (asset, done["status"], done["numPartitions"], len(done["runs"]))
        assert ended == (asset, "COMPLETED_SUCCESS", 3, 1)


def backfills(ui: int) -> set[str]:
    """Ids of all that were launched so far."""
    return {found["id"] for found in graphql(ui, BACKFILLS)["partitionBackfillsOrError"]["results"]}


def launch_by_the_ui(ui: int, asset: str, windows: list[Window]) -> None:
    """Choose the windows in the asset's dialog, and launch."""
    with opened_browser() as browser:
        page = browser.new_page(viewport={"width": 1500, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{ui}/assets/{asset}?view=partitions")
        page.get_by_text("Partitions Selected").wait_for()
        keys = page.get_by_role("dialog").get_by_role("textbox")
        for _ in range(CLICKS):  # the page loads what its button needs after the button
            with suppress(Late):
                page.get_by_role("button", name="Materialize").first.click(timeout=5_000)
                keys.wait_for(timeout=5_000)
                break
        keys.fill(f"[{windows[0].key}...{windows[-1].key}]")
        keys.press("Enter")
        page.get_by_role("button", name="Launch backfill").click()
        page.get_by_text("Launch runs to materialize").wait_for(state="hidden")


def windows_of(job: Job, start: datetime, end: datetime) -> list[Window]:
    return list(windows_between(start, end, job.window or HOUR))


def launch(ui: int, asset: str, windows: list[Window]) -> str:
    """Launch a backfill as the UI does; its id."""
    keys = {"range": {"start": windows[0].key, "end": windows[-1].key}}
    chosen = [{"assetKey": {"path": [asset]}, "partitions": keys}]
    return graphql(ui, LAUNCH, assets=chosen)["launchPartitionBackfill"]["backfillId"]


def finished(ui: int, backfill: str) -> dict[str, Any]:
    """The backfill, once it is over."""

    def now() -> dict[str, Any]:
        return graphql(ui, BACKFILL, id=backfill)["partitionBackfillOrError"]

    eventually(lambda: now()["status"] not in {"REQUESTED", "COMPLETING", "FAILING"}, PATIENCE_SECONDS, now)
    return now()


def reports(
    instance: dg.DagsterInstance, asset: str, windows: list[Window], began: float
) -> list[tuple[str | None, float]]:
    """The materializations of these windows since then, in order: key and time, in seconds since 1970."""
    keys = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[window.key for window in windows])
    records = instance.fetch_materializations(keys, limit=5000, ascending=True).records
    return [(record.partition_key, record.timestamp) for record in records if record.timestamp >= began]


def builds(database: Engine, asset: str, windows: list[Window]) -> list[tuple[str, float]]:
    """The builds of these windows in order: their transaction, and when they began, in seconds since 1970."""
    query = text(
        "SELECT xmin::text, extract(epoch FROM built_at) FROM window_builds "
        "WHERE asset = :asset AND window_start BETWEEN :first AND :last ORDER BY window_start"
    )
    place = {"asset": asset, "first": windows[0].start, "last": windows[-1].start}
    with database.connect() as connection:
        return [(row[0], float(row[1])) for row in connection.execute(query, place)]
