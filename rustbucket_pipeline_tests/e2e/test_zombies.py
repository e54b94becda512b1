"""Everything killed in mid-run, as by a power cut: the run left behind is ended, told, and done again."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline.storage.databases import DATABASE
from rustbucket_pipeline.storage.home import private_directory
from rustbucket_pipeline_tests.e2e.checkout import POLL_SECONDS, Checkout, free_port, graphql, wait_for

RUNS = "{ runsOrError { ... on Runs { results { runId status jobName } } } }"
PATIENCE_SECONDS = 300.0


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    checkout = Checkout.at(tmp_path / "checkout")
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    home = private_directory(checkout.root / ".rustbucket")
    (home / "settings.toml").write_text(f"since = '{yesterday.isoformat()}'\n", encoding="utf-8")
    yield checkout
    kill_everything(checkout)
    embedded.down(checkout.root / ".rustbucket")


def start(checkout: Checkout) -> tuple[int, subprocess.Popen[bytes]]:
    port = free_port()
    process = checkout.start("rustbucket_pipeline.cli", "up", "--port", str(port))
    wait_for(port, process, checkout.output)
    return port, process


def kill_everything(checkout: Checkout) -> None:
    """Every process that works there, PostgreSQL aside, with no chance to say anything."""
    for found in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if found.joinpath("cwd").readlink() == checkout.root:
                os.kill(int(found.name), signal.SIGKILL)


def runs(port: int) -> dict[str, str]:
    found = graphql(port, RUNS)["runsOrError"]["results"]
    return {run["runId"]: run["status"] for run in found}


def alerts(checkout: Checkout) -> list[dict[str, Any]]:
    found = json.loads(checkout.rustbucket("alerts", "list", "--json").stdout)
    return [alert for alert in found if alert["kind"] == "zombie_run"]


def eventually(look: Callable[[], Any], process: subprocess.Popen[bytes]) -> Any:
    """What is found once there is something."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if found := look():
            return found
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
    raise AssertionError(look())


@pytest.mark.long
def test_a_run_that_a_power_cut_left_behind_is_ended_told_and_done_again(checkout: Checkout) -> None:
    port, process = start(checkout)
    engine = create_engine(embedded.url(checkout.root / ".rustbucket", DATABASE))
    with engine.begin() as lock:  # no window can be noted as built: runs begin, and don't end
        lock.execute(text("LOCK TABLE window_builds IN SHARE MODE"))
        eventually(lambda: "STARTED" in runs(port).values(), process)
        left = {run for run, status in runs(port).items() if status == "STARTED"}
        kill_everything(checkout)
        process.wait(90)

        port, process = start(checkout)
        begun = time.monotonic()
        eventually(lambda: all(runs(port)[run] == "FAILURE" for run in left), process)
        assert time.monotonic() - begun < 120
        told = eventually(lambda: alerts(checkout), process)  # what is built before anybody looks is told to nobody
    assert told[0]["subject"] == "archive_logs: process gone"
    assert "is gone" in told[0]["cause"]
    eventually(lambda: not alerts(checkout), process)
    engine.dispose()
    process.send_signal(signal.SIGINT)
    process.wait(90)
