"""A running system in which some hours are built and two keep failing: what cronrun did is tried on it."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from rustbucket_pipeline.cli.main import main
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines
from rustbucket_pipeline_tests.control.cronrun.system import (
    BAD,
    GOOD,
    MARKED,
    PATIENCE_SECONDS,
    YESTERDAY,
    Command,
    Ended,
    System,
)
from rustbucket_pipeline_tests.e2e.checkout import Checkout, free_port, wait_for
from rustbucket_pipeline_tests.e2e.outage import FAIL_HOUR
from rustbucket_pipeline_tests.e2e.running import Running, eventually


@pytest.fixture(scope="package")
def system(scratch: Path) -> Iterator[System]:
    """`rustbucket up` on a fleet of one, once everything that can be built is."""
    checkout = Checkout.at(scratch / "cronrun", RUSTBUCKET_SINCE=YESTERDAY.isoformat())
    for hour in (*GOOD, BAD, MARKED):
        checkout.upload(f"rustbucket.log.{hour.start:%Y-%m-%d-%H}", hour_of_lines(hour.start))
    settings = _settings_of(checkout)
    engine = open_database(settings)
    with engine.begin() as connection:
        entry = Entry(id="BKT100001", name="one", logs_url=checkout.uploads.as_uri())
        registry.add(connection, settings, entry, YESTERDAY)
        registry.approve(connection, entry.id or "", YESTERDAY)
        connection.exec_driver_sql(FAIL_HOUR.replace("HOUR", f"{BAD.start.isoformat()}', '{MARKED.start.isoformat()}"))
    port = free_port()
    process = checkout.start("rustbucket_pipeline.cli", "up", "--port", str(port))
    try:
        wait_for(port, process)
        system = System(checkout, settings, engine, Running(port, process))
        eventually(lambda: _at_rest(system), PATIENCE_SECONDS, system.running.runs)
        yield system
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(90)
        engine.dispose()
        embedded.down(checkout.root / ".rustbucket")


@pytest.fixture
def command(system: System, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Runs `rustbucket …` beside the system."""
    monkeypatch.setenv("DAGSTER_HOME", str(system.checkout.root))
    for name, value in system.checkout.variables.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["rustbucket", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsysbinary.readouterr()
        return Ended(int(ended.value.code or 0), printed.out.decode(), " ".join(printed.err.decode().split()))

    return run


@pytest.fixture
def instance(command: Command) -> Iterator[dg.DagsterInstance]:
    """Dagster's records, as whoever works beside the system has them."""
    with dg.DagsterInstance.get() as instance:
        yield instance


def _settings_of(checkout: Checkout) -> Settings:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**checkout.variables, "DAGSTER_HOME": str(checkout.root)}.items():
            environment.setenv(name, value)
        return load_settings()


def _at_rest(system: System) -> bool:
    """Whether what can be built is, and what can't has failed."""
    digested = Window(GOOD[-1].start, 4 * HOUR)
    built = all(system.built_at("parsed_logs", hour) for hour in GOOD) and system.built_at("log_analysis", digested)
    runs = system.running.runs()
    return bool(built) and all(run.ended for run in runs) and any(run.status == "FAILURE" for run in runs)
