"""`rustbucket up`: the real code server, daemon and web server; whatever is killed comes back; ended by Ctrl-C."""

import contextlib
import os
import signal
import socket
import subprocess
import urllib.error
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rustbucket_pipeline.control.code_server import request_reload
from rustbucket_pipeline.control.jobs import JOBS
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline_tests.e2e.checkout import POLL_SECONDS, Checkout, free_port, graphql, wait_for

STATE = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
    schedules { name scheduleState { status } }
    sensors { name sensorState { status ticks(limit: 1) { status } } } } } }
  instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"""
LOADED = "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus updatedTimestamp } } } }"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    checkout = Checkout.at(tmp_path_factory.mktemp("up") / "checkout")
    yield checkout
    embedded.down(checkout.root / ".rustbucket")


@pytest.fixture(scope="module")
def up(checkout: Checkout) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The port, and the running `rustbucket up`."""
    port = free_port()
    process = checkout.start("rustbucket_pipeline.cli", "up", "--port", str(port))
    wait_for(port, process)
    yield port, process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(90)


def eventually(port: int, process: subprocess.Popen[bytes], holds: Callable[[dict[str, Any]], bool]) -> None:
    """Ask until it holds, for at most two minutes."""
    for _ in range(200):
        with contextlib.suppress(urllib.error.URLError, ConnectionError):  # the one asked, or PostgreSQL, was killed
            if holds(graphql(port, STATE)):
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
    raise AssertionError(graphql(port, STATE))


def test_it_starts_everything_and_ctrl_c_ends_everything(
    checkout: Checkout, up: tuple[int, subprocess.Popen[bytes]]
) -> None:
    port, process = up
    schedules = {
        found["name"]: found["scheduleState"]["status"] for found in repository(graphql(port, STATE))["schedules"]
    }
    assert schedules == dict.fromkeys((job.name for job in JOBS), "RUNNING")
    eventually(port, process, heal_has_ticked)
    os.kill(checkout.postgres(), signal.SIGKILL)
    eventually(port, process, daemons_are_healthy)

    second = checkout.rustbucket("up", "--port", str(free_port()), check=False)
    assert second.returncode == 2
    assert "runs already" in second.stderr

    victims = {name: checkout.program(name) for name in ("web.server", "dagster-daemon", "api grpc")}
    for victim in victims.values():
        os.kill(victim, signal.SIGKILL)
    eventually(port, process, lambda state: daemons_are_healthy(state) and is_loaded(state))
    assert not set(victims.values()) & {checkout.program(name) for name in victims}
    said = checkout.output.read_text(encoding="utf-8")
    assert "the web server was ended by SIGKILL; starting it again in 1 s" in said
    assert "the daemon was ended by SIGKILL; starting it again in 1 s" in said
    assert "the code server doesn't answer; ending it" in said

    before = graphql(port, LOADED)
    assert request_reload(Settings(DAGSTER_HOME=checkout.root))
    eventually(port, process, lambda _: graphql(port, LOADED) != before)

    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 130, checkout.output.read_text(encoding="utf-8")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert checkout.programs() == {}
    assert not request_reload(Settings(DAGSTER_HOME=checkout.root))


def is_loaded(state: dict[str, Any]) -> bool:
    return "nodes" in state["repositoriesOrError"] and bool(state["repositoriesOrError"]["nodes"])


def repository(state: dict[str, Any]) -> dict[str, Any]:
    return state["repositoriesOrError"]["nodes"][0]


def heal_has_ticked(state: dict[str, Any]) -> bool:
    ticks = repository(state)["sensors"][0]["sensorState"]["ticks"]
    return bool(ticks) and ticks[0]["status"] in {"SKIPPED", "SUCCESS"}


def daemons_are_healthy(state: dict[str, Any]) -> bool:
    daemons = state["instance"]["daemonHealth"]["allDaemonStatuses"]
    return all(daemon["healthy"] for daemon in daemons if daemon["required"])


def test_a_port_that_is_taken_is_named_in_one_line(checkout: Checkout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = checkout.rustbucket("up", "--port", str(port), check=False)
    assert refused.returncode == 2
    assert refused.stderr.strip().count("\n") == 0
    assert f"port {port}" in refused.stderr
