"""`rustbucket jobs` beside a running system: queued runs, backfills, switches, kills; UI and command say the same."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rustbucket_pipeline.model.window import HOUR
from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines
from rustbucket_pipeline_tests.e2e.checkout import Checkout, free_port, graphql, wait_for

pytestmark = pytest.mark.long

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
HOURS = 6
UNTIL = f"{MIDNIGHT + HOURS * HOUR:%Y-%m-%d-%H:%M}"
KEYS = [f"{MIDNIGHT + hour * HOUR:%Y-%m-%d-%H:%M}" for hour in range(HOURS)]
JOBS = ("poll_fleet", "archive_logs", "parse_logs", "analyse_windows", "sign_archive")

SCHEDULES = """query ($where: RepositorySelector!) { schedulesOrError(repositorySelector: $where) { ... on Schedules {
  results { name cronSchedule scheduleState { status } futureTicks(limit: 1) { results { timestamp } } } } } }"""
RUNS = """query ($job: String!, $statuses: [RunStatus!]) {
  runsOrError(filter: {pipelineName: $job, statuses: $statuses}, limit: 1) {
    ... on Runs { results { runId status startTime endTime } } } }"""
BACKFILLS = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { id status partitionNames } } } }"
WHERE = {"repositoryName": "__repository__", "repositoryLocationName": "rustbucket_pipeline"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A fleet of one whose uploader left six hours of yesterday; every schedule is off."""
    checkout = Checkout.at(tmp_path_factory.mktemp("jobs") / "checkout")
    for hour in range(HOURS):
        start = MIDNIGHT + hour * HOUR
        checkout.upload(f"rustbucket.log.{start:%Y-%m-%d-%H}", hour_of_lines(start))
    checkout.rustbucket("fleet", "add", "one", "--logs", checkout.uploads.as_uri())
    checkout.rustbucket("fleet", "approve", "BKT100001")
    for job in JOBS:
        checkout.rustbucket("jobs", "disable", job)
    yield checkout
    embedded.down(checkout.root / ".rustbucket")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout without a daemon: a run's process is the command itself."""
    checkout = Checkout.at(tmp_path_factory.mktemp("alone") / "checkout")
    checkout.rustbucket("fleet", "list")
    yield checkout
    embedded.down(checkout.root / ".rustbucket")


@pytest.fixture(scope="module")
def ui(checkout: Checkout) -> Iterator[int]:
    """The port of the running system's web server."""
    port = free_port()
    system = checkout.start("rustbucket_pipeline.cli", "up", "--port", str(port))
    try:
        wait_for(port, system)
        yield port
    finally:
        system.send_signal(signal.SIGINT)
        system.wait(90)


def until(true: Callable[[], bool], seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.5)


def board(checkout: Checkout) -> dict[str, Any]:
    return {one["job"]: one for one in json.loads(checkout.rustbucket("jobs", "list", "--json").stdout)}


def newest_run(ui: int, job: str, *statuses: str) -> dict[str, Any] | None:
    found = graphql(ui, RUNS, job=job, statuses=list(statuses) or None)["runsOrError"]["results"]
    return found[0] if found else None


def assert_both_say_the_same(checkout: Checkout, ui: int) -> None:
    """The command and GraphQL, which the UI asks. What changes between the two questions settles."""
    until(lambda: of_schedules(board(checkout)) == schedules_of(ui) and runs_agree(board(checkout), ui), 90)


def of_schedules(listed: dict[str, Any]) -> dict[str, tuple[str, bool, float | None]]:
    """By job: its cron, whether it is on, and its next tick."""
    return {
        job: (
            entry["schedule"]["cron"],
            entry["schedule"]["on"],
            datetime.fromisoformat(entry["next_run"]).timestamp() if entry["next_run"] else None,
        )
        for job, entry in listed.items()
    }


def schedules_of(ui: int) -> dict[str, tuple[str, bool, float | None]]:
    found = graphql(ui, SCHEDULES, where=WHERE)["schedulesOrError"]["results"]
    on = {one["name"]: one["scheduleState"]["status"] == "RUNNING" for one in found}
    ticks = {one["name"]: one["futureTicks"]["results"][0]["timestamp"] for one in found}
    return {
        one["name"]: (one["cronSchedule"], on[one["name"]], ticks[one["name"]] if on[one["name"]] else None)
        for one in found
    }


def runs_agree(listed: dict[str, Any], ui: int) -> bool:
    """Whether each job's newest run and success are those of GraphQL, which knows backfills by their own name."""
    for job, entry in listed.items():
        last = entry["last_run"] or {"backfill": None, "id": None, "status": None, "started_at": None}
        if last["backfill"]:
            continue
        run, success = newest_run(ui, job) or {}, newest_run(ui, job, "SUCCESS") or {}
        began = datetime.fromisoformat(last["started_at"]).timestamp() if last["started_at"] else None
        told = (last["id"], last["status"], (entry["last_success"] or {}).get("id"))
        if told != (run.get("runId"), run.get("status"), success.get("runId")) or began != pytest.approx(
            run.get("startTime")
        ):
            return False
    return True


def test_a_run_by_hand_goes_through_the_daemon_s_queue_and_both_tell_of_it(checkout: Checkout, ui: int) -> None:
    until(lambda: newest_daemon(ui))
    ran = checkout.rustbucket("jobs", "run", "archive_logs", "--from", KEYS[0], "--to", UNTIL, "--follow")
    assert f"log_archives {KEYS[5]}: built, 30 rows" in ran.stdout
    assert "360 rows" in ran.stdout.splitlines()[-1]
    run = newest_run(ui, "archive_logs")
    assert run is not None
    assert run["status"] == "SUCCESS"
    assert_both_say_the_same(checkout, ui)

    asked = checkout.rustbucket("jobs", "backfill", "parse_logs", "--from", KEYS[0], "--to", KEYS[3])
    backfill = asked.stdout.split("backfill ")[1].split(";")[0]
    until(lambda: backfill_status(ui, backfill) == "COMPLETED_SUCCESS")
    (shown,) = json.loads(checkout.rustbucket("jobs", "show", "parse_logs", "--json").stdout)["runs"]
    assert (shown["status"], shown["rows"], shown["backfill"]) == ("SUCCESS", 180, backfill)
    assert (shown["first_window"], shown["last_window"]) == (KEYS[0], KEYS[2])
    assert board(checkout)["parse_logs"]["missed_windows"] == KEYS[3:]
    assert_both_say_the_same(checkout, ui)

    assert "switched on" in checkout.rustbucket("jobs", "enable", "parse_logs").stdout
    assert_both_say_the_same(checkout, ui)
    until(lambda: board(checkout)["parse_logs"]["missed"] == 0)  # the heal sensor takes what its schedule missed
    assert_both_say_the_same(checkout, ui)
    assert "switched off" in checkout.rustbucket("jobs", "disable", "parse_logs").stdout
    assert_both_say_the_same(checkout, ui)


def newest_daemon(ui: int) -> bool:
    """Whether the daemon's queue was heard."""
    query = "{ instance { daemonHealth { allDaemonStatuses { daemonType healthy } } } }"
    statuses = graphql(ui, query)["instance"]["daemonHealth"]["allDaemonStatuses"]
    return any(one["daemonType"] == "QUEUED_RUN_COORDINATOR" and one["healthy"] for one in statuses)


def backfill_status(ui: int, backfill: str) -> str:
    found = graphql(ui, BACKFILLS)["partitionBackfillsOrError"]["results"]
    return next(one["status"] for one in found if one["id"] == backfill)


def hold_back(checkout: Checkout) -> subprocess.Popen[str]:
    """Somebody who holds the table that polling the fleet needs: its run waits."""
    code = (
        "from rustbucket_pipeline.settings import load_settings\n"
        "from rustbucket_pipeline.storage.postgres import open_database\n"
        "connection = open_database(load_settings()).connect()\n"
        "connection.exec_driver_sql('LOCK TABLE rustbucket_status IN ACCESS EXCLUSIVE MODE')\n"
        "print('held', flush=True)\n"
        "input()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=checkout.root,
        env=checkout.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


@contextmanager
def polling(checkout: Checkout) -> Generator[subprocess.Popen[bytes]]:
    """A command that runs `poll_fleet`, which waits for what somebody else holds."""
    holder = hold_back(checkout)
    running = subprocess.Popen(
        [sys.executable, "-m", "rustbucket_pipeline.cli", "jobs", "run", "poll_fleet", "--force"],
        cwd=checkout.root,
        env=checkout.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with holder, running:  # their pipes are closed on leaving
        try:
            yield running
        finally:
            holder.kill()
            running.kill()


def under_way(checkout: Checkout) -> str:
    """The id of the run of `poll_fleet`, once it is under way."""
    until(lambda: bool(board(checkout)["poll_fleet"]["running_since"]))
    (run,) = board(checkout)["poll_fleet"]["running"]
    return run["id"]


def assert_ended(checkout: Checkout, run_id: str) -> None:
    entry = board(checkout)["poll_fleet"]
    assert (entry["last_run"]["id"], entry["last_run"]["status"], entry["running"]) == (run_id, "CANCELED", [])


def test_a_run_of_the_daemon_is_ended_and_its_command_told(checkout: Checkout, ui: int) -> None:
    until(lambda: newest_daemon(ui))
    with polling(checkout) as running:
        run_id = under_way(checkout)
        assert f"run {run_id[:8]}: " in checkout.rustbucket("jobs", "kill", run_id[:8]).stdout
        assert running.wait(90) == 1
    assert_ended(checkout, run_id)
    run = newest_run(ui, "poll_fleet")
    assert run is not None
    assert (run["runId"], run["status"]) == (run_id, "CANCELED")


def test_a_run_of_a_command_is_ended_by_another(alone: Checkout) -> None:
    with polling(alone) as running:
        run_id = under_way(alone)
        assert f"run {run_id[:8]}: ended" in alone.rustbucket("jobs", "kill", run_id[:8]).stdout
        assert running.wait(90) != 0
    assert_ended(alone, run_id)


def test_a_run_whose_command_was_killed_is_found_dead(alone: Checkout) -> None:
    with polling(alone) as running:
        run_id = under_way(alone)
        running.kill()
        running.wait()
        assert "its process is gone" in alone.rustbucket("jobs", "kill", run_id[:8]).stdout
    assert_ended(alone, run_id)
