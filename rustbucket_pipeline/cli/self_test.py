"""`rustbucket doctor --self-test`: everything once, in a scratch home: server, daemon, schedules, jobs, statistics.

The fleet is simulated; the programs, the database and the runs are real. Nothing of the real home is touched.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from rustbucket_pipeline.cli.demo import demo_home, shown
from rustbucket_pipeline.cli.output import plain, print_json, say
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.control.heartbeat import daemon_runs
from rustbucket_pipeline.control.instance import dagster_instance
from rustbucket_pipeline.control.jobs import POLL_FLEET, job_named
from rustbucket_pipeline.control.ran import scheduled_since
from rustbucket_pipeline.control.starting import Start, Starter
from rustbucket_pipeline.control.timetable import Change, reschedule
from rustbucket_pipeline.control.told import told_by
from rustbucket_pipeline.demo.home import environment, kept_play
from rustbucket_pipeline.demo.run import Step, run_demo
from rustbucket_pipeline.errors import PermanentError
from rustbucket_pipeline.settings import PROJECT_ROOT, load_settings
from rustbucket_pipeline.storage import embedded

RUSTBUCKETS, HOURS, SEED = 3, 4, 1
PATIENCE_SECONDS = 240.0
"""How long anything may take that others do: a daemon starts in seconds, a schedule ticks each minute here."""

TASKS = ("health_report", "statistics")
LOOK_SECONDS = 0.5

Shown = dict[str, str]


def self_test(*, as_json: bool) -> bool:
    """Start everything, watch it work, stop and remove it; whether all of it did."""
    found: Shown = {}
    home = demo_home("self-test")
    kept = dict(os.environ)
    try:
        with _scratch(home):
            _watch_it_work(home, found, _unshown if as_json else shown)
    except PermanentError as error:
        found["failed"] = str(error)
        if not as_json:
            say(f"✗ {plain(error)}", style="bold red")
    finally:
        os.environ.clear()
        os.environ.update(kept)
    if as_json:
        print_json({"ok": "failed" not in found, **found})
    elif "failed" not in found:
        for what, how in found.items():
            say(f"  {what}: {plain(how)}")
        say("✓ the system works here, from the first byte to the report", style="green")
    return "failed" not in found


@contextmanager
def _scratch(home: Path) -> Generator[None]:
    """A home of the test's own; its server is stopped and it is removed, however the test ends."""
    _remove(home)
    os.environ.update(environment(home))
    try:
        yield
    finally:
        _remove(home)


def _remove(home: Path) -> None:
    if home.exists():
        embedded.down(home)
        shutil.rmtree(home, ignore_errors=True)


def _watch_it_work(home: Path, found: Shown, step: Step) -> None:
    now = datetime.now(UTC)
    outcome = run_demo(home, kept_play(home, HOURS, RUSTBUCKETS, SEED, now), now, step)
    if not outcome.agrees:
        wrong = next(check for check in outcome.checks if not check.ok)
        raise PermanentError(f"{wrong.name}: {wrong.found} was found, {wrong.expected} is true")
    found["chain"] = f"{outcome.summary.records:,} records of {RUSTBUCKETS} rustbuckets, all compared with the truth"
    settings = load_settings()
    reschedule(settings, Change(job=POLL_FLEET.name, by="self-test", at=now, cron="* * * * *"))
    port = _free_port()
    with _up(home, port) as up, dagster_instance() as instance:
        with step("starting web server and daemon"):
            _until(up, lambda: _listens(port) and daemon_runs(instance, datetime.now(UTC)), "web and daemon")
        with step("waiting for a schedule's tick and its run"):
            run = _until(up, lambda: scheduled_since(instance, POLL_FLEET, now), "a scheduled run")
        found["scheduler"] = f"{POLL_FLEET.name} ran by its schedule at {run.created:%H:%M:%S} UTC"
        starter = Starter.of(instance, lambda: datetime.now(UTC))
        for name in TASKS:
            with step(f"running {name} by the daemon"):
                ran = starter.run(
                    Start(str(uuid4()), job_named(name), None, login(), forced=False, config={}), _ignored
                )
            if ran.status != "SUCCESS":
                raise PermanentError(f"{name} ended with {ran.status}; `rustbucket jobs logs {name}` would say why")
            told = told_by(instance, ran.id)
            found[name] = told.summary if told else "it told nothing"


Found = TypeVar("Found")


@contextmanager
def _up(home: Path, port: int) -> Generator["subprocess.Popen[bytes]"]:
    """`rustbucket up` as a person starts it; what it prints is kept in the scratch home."""
    command = [sys.executable, "-m", "rustbucket_pipeline.cli", "up", "--port", str(port), "--read-only"]
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _until(up: "subprocess.Popen[bytes]", look: Callable[[], Found | None], what: str) -> Found:
    """What is found in the end, while the system is up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and up.poll() is None:
        if found := look():
            return found
        time.sleep(LOOK_SECONDS)
    ended = "`rustbucket up` has ended" if up.poll() is not None else f"not there after {PATIENCE_SECONDS:.0f} seconds"
    raise PermanentError(f"{what}: {ended}; start it by hand to see why")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _unshown(_: str) -> Generator[None]:
    yield


def _ignored(_: object) -> None:
    """Progress is one line here."""
