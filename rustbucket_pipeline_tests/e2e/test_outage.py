"""An outage with everything real: daemon, PostgreSQL, S3, files that land meanwhile. No clock is bent.

Afterwards every window of every asset is built, once per content, and the rows are what truly happened.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rustbucket_pipeline.control.jobs import CHAIN, POLL_FLEET
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window, window_at
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline_tests.e2e.checkout import Checkout
from rustbucket_pipeline_tests.e2e.outage import COUNT_BUILDS, Field, until_settled
from rustbucket_pipeline_tests.e2e.running import (
    Running,
    SeenRun,
    agreed,
    eventually,
    hurry,
    overlapping,
    seconds_of_work,
)
from rustbucket_pipeline_tests.e2e.s3_fleet import DAY, UploadingFleet, credentials, register, s3_server

OUTAGE = timedelta(hours=6)
BEFORE = timedelta(hours=9)
"""What is built before the outage."""

OVERHEAD_SECONDS = 60.0
"""For four layers, besides the work itself, on a machine with nothing else to do."""

NOTICED_SECONDS = 60.0
"""How much later it may all be when a process is killed: run monitoring looks every 20 seconds, the heal sensor 15."""

PATIENCE_SECONDS = 400.0


@pytest.fixture
def field(tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Field]:
    """A fleet in a fresh checkout; of its last day all but the last six hours have landed, and nothing is built."""
    now = datetime.now(UTC)
    until = until_settled(now)
    with s3_server() as endpoint:
        fleet = UploadingFleet.of_the_last_day(tmp_path / "fleet", endpoint, now)
        since = (until - DAY).replace(hour=0)
        variables = credentials(endpoint) | {"RUSTBUCKET_SINCE": since.isoformat()}
        checkout = Checkout.at(own_home, **variables)
        for name, value in {**variables, "DAGSTER_HOME": str(checkout.root)}.items():
            monkeypatch.setenv(name, value)
        checkout.rustbucket("jobs", "schedule", POLL_FLEET.name, "--cron", "* * * * *")
        settings = load_settings()
        engine = open_database(settings)
        register(engine, settings, fleet, since)
        field = Field(checkout, fleet, settings, engine, until)
        field.sql(COUNT_BUILDS)
        fleet.land(until - OUTAGE)
        yield field
        engine.dispose()


def test_after_an_outage_everything_is_built_once_and_true_and_what_fails_delays_only_itself(field: Field) -> None:
    bad = Window(field.until - OUTAGE - 4 * HOUR, HOUR)
    field.fail(bad)
    nine_hours_by_hand(field, bad)
    field.fleet.land(field.until)
    with field.up() as system:
        began = datetime.now(UTC)
        assert agreed(field.checkout, system)
        took = healed(field, system, began)
        assert agreed(field.checkout, system)
        assert took - seconds_of_work(system.runs(), began.timestamp()) <= OVERHEAD_SECONDS * hurry()
        assert bad not in field.built()["parsed_logs"]
        assert window_at(bad.start, FOUR_HOURS) not in field.built()["window_digest"]
        all_is_well(field, system)
        ticks_live(system, began)


def kill_the_code_server(field: Field, _: Running) -> None:
    os.kill(field.checkout.program("api grpc"), signal.SIGKILL)


def restart_postgresql(field: Field, _: Running) -> None:
    os.kill(field.checkout.postgres(), signal.SIGKILL)


def kill_a_worker(field: Field, system: Running) -> None:
    """Of a run that is at work."""
    eventually(
        lambda: any(run.status == "STARTED" and run.job == "parse_logs" for run in system.runs()),
        PATIENCE_SECONDS,
        system.runs,
    )
    os.kill(field.checkout.program("spawn_main"), signal.SIGKILL)


@pytest.mark.long
@pytest.mark.parametrize("fault", [kill_the_code_server, restart_postgresql, kill_a_worker])
def test_the_same_when_something_is_killed_while_it_heals(
    field: Field, fault: Callable[[Field, Running], None]
) -> None:
    bad = Window(field.until - OUTAGE - 4 * HOUR, HOUR)
    field.fail(bad)
    nine_hours_by_hand(field, bad)
    field.fleet.land(field.until)
    with field.up() as system:
        began = datetime.now(UTC)
        eventually(lambda: any(run.status == "STARTED" for run in system.runs()), PATIENCE_SECONDS, system.runs)
        fault(field, system)
        took = healed(field, system, began)
        all_is_well(field, system)
        work = seconds_of_work(system.runs(), began.timestamp())
        assert took - work <= (OVERHEAD_SECONDS + NOTICED_SECONDS) * hurry()

        field.mend()
        mended = field.checkout.materialize("parsed_logs", bad.key)
        assert mended.returncode == 0
        healed(field, system, began)
        all_is_well(field, system)
        assert window_at(bad.start, FOUR_HOURS) in field.built()["log_analysis"]
        assert agreed(field.checkout, system)


def nine_hours_by_hand(field: Field, bad: Window) -> None:
    """Built before the outage, as ranges, by Dagster's own command; it names the hour that fails, and only that."""
    start = field.until - OUTAGE - BEFORE
    by_hand(field, "log_archives", start, HALF_HOUR).check_returncode()
    refused = by_hand(field, "parsed_logs", start, HOUR)
    assert refused.returncode != 0
    assert bad.key in refused.stderr
    hours = {Window(start + index * HOUR, HOUR) for index in range(BEFORE // HOUR)}
    assert field.built()["parsed_logs"] == hours - {bad}


def by_hand(field: Field, asset: str, start: datetime, length: timedelta) -> subprocess.CompletedProcess[str]:
    keys = f"{Window(start, length).key}...{Window(start + BEFORE - length, length).key}"
    select = ("--select", asset, "--partition-range", keys)
    return field.checkout.run(
        "dagster", "asset", "materialize", "-m", "rustbucket_pipeline.definitions", *select, check=False
    )


def healed(field: Field, system: Running, began: datetime) -> float:
    """Wait until nothing that was due then is open; how many seconds that took, counted from then."""

    def left() -> str:
        ran = "\n".join(run.line(began) for run in system.runs())
        return f"{field.open(field.until, began)}\n{ran}"

    eventually(lambda: not field.open(field.until, began), PATIENCE_SECONDS, left)
    return (datetime.now(UTC) - began).total_seconds()


def all_is_well(field: Field, system: Running) -> None:
    """Everything that was asked for was asked for once, built once from what there was, and is true."""
    chain = {job.name for job in CHAIN}
    eventually(lambda: all(run.ended for run in system.runs() if run.job in chain), PATIENCE_SECONDS, system.runs)
    together = overlapping(system.runs())
    assert not together, "\n".join(" and ".join(pair) for pair in together)
    assert field.built_twice() == []
    assert field.untrue(field.until) == []
    digested = field.digested()
    assert digested
    assert {start: told for start, told in digested.items() if told[0] != told[1]} == {}


def ticks_live(system: Running, began: datetime) -> None:
    """The every-minute job ticks once in each minute, none left out, and none of the outage; its runs succeed."""
    eventually(lambda: any(run.status == "SUCCESS" for run in polls_of(system)), PATIENCE_SECONDS, system.runs)
    polls = polls_of(system)
    ticked = minutes(system, began)
    assert ticked == list(range(ticked[0], ticked[-1] + 1))
    assert len(polls) == len({run.key for run in polls}) <= len(ticked)
    assert {run.status for run in polls} <= {"SUCCESS", "STARTED", "STARTING", "QUEUED"}


def polls_of(system: Running) -> list[SeenRun]:
    return [run for run in system.runs() if run.job == POLL_FLEET.name]


def minutes(system: Running, began: datetime) -> list[int]:
    """The minutes in which it ticked since then, oldest first."""
    ticks = [tick["timestamp"] for tick in system.ticks(POLL_FLEET.name) if tick["status"] == "SUCCESS"]
    return sorted(int(tick // 60) for tick in ticks if tick >= began.timestamp())
