"""A system of its own for a benchmark: `rustbucket up` in a home that is thrown away, and what it tells by GraphQL."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.settings import PROJECT_ROOT
from rustbucket_pipeline.storage import embedded

PATIENCE_SECONDS = 900.0

RUNS = """{ runsOrError { ... on Runs { results {
  runId jobName status creationTime startTime endTime stepStats { startTime endTime } } } } }"""


@dataclass(frozen=True, slots=True)
class Timed:
    """A run and its moments, in seconds since 1970; None: not yet."""

    job: str
    status: str
    created: float
    started: float | None
    ended: float | None
    steps: tuple[tuple[float, float], ...]


@contextmanager
def own_home(**variables: str) -> Generator[Path]:
    """A home like the demo's, named by the environment as long as this lasts; its server is stopped at the end."""
    home, before = Path(tempfile.mkdtemp(prefix="rustbucket-bench-")), dict(os.environ)
    os.environ.update(environment(home) | {"DAGSTER_HOME": str(PROJECT_ROOT)} | variables)
    try:
        yield home
    finally:
        embedded.down(home)
        shutil.rmtree(home, ignore_errors=True)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def up(home: Path) -> Generator[int]:
    """`rustbucket up` in that home, once its web server answers; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (home / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("rustbucket"), "up", "--port", str(port)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            until(lambda: bool(_answer(port, "{ version }")))
            yield port
        finally:
            process.terminate()
            process.wait()


def runs(port: int) -> list[Timed]:
    """Every run there is, oldest first."""
    return [
        Timed(
            run["jobName"],
            run["status"],
            run["creationTime"],
            run["startTime"],
            run["endTime"],
            tuple((step["startTime"], step["endTime"]) for step in run["stepStats"] if step["endTime"]),
        )
        for run in reversed(_answer(port, RUNS)["runsOrError"]["results"])
    ]


def until(holds: Callable[[], bool]) -> None:
    """Ask each fifth of a second until it holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if holds():
                return
        except OSError:
            pass  # it is just starting
        time.sleep(0.2)
    raise TimeoutError


def load() -> str:
    """How busy the machine is, for whoever reads the figures."""
    return f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"


def _answer(port: int, query: str) -> dict[str, Any]:
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]
