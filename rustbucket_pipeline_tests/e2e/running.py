"""What a running system tells by GraphQL, as its UI does, and by `rustbucket jobs list`: runs, ticks, jobs."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from resource import RUSAGE_CHILDREN, getrusage
from time import monotonic
from typing import Any

from rustbucket_pipeline.control.jobs import JOBS, Job
from rustbucket_pipeline.errors import DatabaseUnavailable
from rustbucket_pipeline.model.window import Window, window_of_key, windows_between
from rustbucket_pipeline_tests.e2e.checkout import POLL_SECONDS, Checkout, graphql

TIMES = 10
"""How often two tellers are compared until nothing changes in between."""

RUNS = """{ runsOrError { ... on Runs { results {
  runId jobName status creationTime startTime endTime tags { key value } assetSelection { path }
  stepStats { startTime endTime } } } } }"""
SCHEDULES = """{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules {
  name scheduleState { status } futureTicks(limit: 1) { results { timestamp } } } } } } }"""
TICKS = """query ($name: String!) { instigationStateOrError(instigationSelector: {
    name: $name, repositoryName: "__repository__", repositoryLocationName: "rustbucket_pipeline" }) {
  ... on InstigationState { ticks { timestamp status runIds } } } }"""


@dataclass(frozen=True)
class SeenRun:
    """A run as GraphQL tells it. Times in seconds since 1970; `windows` are those its tags name.

    `key`: by which it was asked for; Dagster's own retry of a run whose process died wasn't asked for.
    """

    id: str
    job: str
    status: str
    key: str
    windows: frozenset[Window]
    created: float
    ended: float | None
    work: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        """For whoever reads why two runs overlap; seconds since the first of them can be told from these."""
        spans = [(round(begun, 1), round(ended, 1)) for begun, ended in self.work]
        return f"{self.id} {self.job} {self.key} {self.status} {self.created:.1f}..{self.ended} steps {spans}"

    def line(self, began: datetime) -> str:
        """For whoever reads why a test failed; seconds since then."""
        moments = [self.created, *(moment for span in self.work for moment in span), self.ended or 0.0]
        after = ", ".join(f"{moment - began.timestamp():.0f}" for moment in moments)
        first = min(self.windows, default="")
        return f"{self.id[:8]} {self.job} {self.status} {len(self.windows)} windows from {first}: {after}"


@dataclass(frozen=True)
class Board:
    """How a job stands, by whoever tells it: next tick in seconds since 1970, its newest run, those under way."""

    on: bool
    next_tick: float | None
    last_run: str | None
    last_status: str | None
    running: frozenset[str]


@dataclass
class Running:
    """`rustbucket up`, and the port of its web server."""

    port: int
    process: subprocess.Popen[bytes]

    def runs(self) -> list[SeenRun]:
        """Every run there ever was, oldest first."""
        return [_seen(run) for run in reversed(graphql(self.port, RUNS)["runsOrError"]["results"])]

    def board(self) -> dict[str, Board]:
        """How every job stands, as the UI tells it."""
        runs = self.runs()
        schedules = graphql(self.port, SCHEDULES)["repositoriesOrError"]["nodes"][0]["schedules"]
        return {
            found["name"]: _standing(found, [run for run in runs if run.job == found["name"]]) for found in schedules
        }

    def ticks(self, name: str) -> list[dict[str, Any]]:
        """The latest ticks of a schedule or sensor, newest first."""
        return graphql(self.port, TICKS, name=name)["instigationStateOrError"]["ticks"]


def agreed(checkout: Checkout, system: Running) -> bool:
    """Whether `rustbucket jobs list --json` tells of every job what the UI does.

    A job that changes while both are asked is looked at again.
    """
    compared = set[str]()
    for _ in range(TIMES):
        before = system.board()
        told = {one["job"]: _told(one) for one in json.loads(checkout.rustbucket("jobs", "list", "--json").stdout)}
        after = system.board()
        same = {name for name in before if before[name] == after[name]}
        assert {name: told[name] for name in same} == {name: before[name] for name in same}
        compared |= same
        if compared == before.keys() == told.keys():
            return True
    return False


def eventually(holds: Callable[[], bool], seconds: float, what: Callable[[], object]) -> float:
    """Ask until it holds; how many seconds that took."""
    begun = monotonic()
    pause = subprocess.Popen(["sleep", "infinity"])
    try:
        while monotonic() - begun < seconds:
            with suppress(OSError, DatabaseUnavailable):  # the one asked, or PostgreSQL, was killed
                if holds():
                    return monotonic() - begun
            with suppress(subprocess.TimeoutExpired):
                pause.wait(POLL_SECONDS)
    finally:
        pause.kill()
        pause.wait()
    raise AssertionError(what())


def overlapping(runs: Iterable[SeenRun]) -> list[tuple[str, str]]:
    """Runs of one job that had a window in common at the same time, or were asked for with the same key."""
    found = [(key, "asked twice") for key, times in Counter(run.key for run in runs if run.key).items() if times > 1]
    ordered = sorted((run for run in runs if run.windows), key=lambda run: run.created)
    for index, run in enumerate(ordered):
        found += [
            (str(run), str(later))
            for later in ordered[index + 1 :]
            if later.job == run.job and later.windows & run.windows and later.created < (run.ended or float("inf"))
        ]
    return found


def hurry() -> float:
    """How much longer than its processor time a process takes here now: 1 on a machine with nothing else to do."""
    before, begun = getrusage(RUSAGE_CHILDREN), monotonic()
    subprocess.run([sys.executable, "-c", "import dagster"], check=True)
    took, after = monotonic() - begun, getrusage(RUSAGE_CHILDREN)
    return max(1.0, took / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))


def seconds_of_work(runs: Iterable[SeenRun], since: float) -> float:
    """How long at least one step of a run was at work after that moment."""
    total, end = 0.0, since
    for begun, ended in sorted(span for run in runs for span in run.work):
        total += max(0.0, ended - max(begun, end))
        end = max(end, ended)
    return total


def _seen(run: dict[str, Any]) -> SeenRun:
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    job = next((job for job in JOBS if job.name == run["jobName"] or _asks_for(run, job)), None)
    return SeenRun(
        id=run["runId"],
        job=job.name if job else run["jobName"],
        status=run["status"],
        key="" if "dagster/parent_run_id" in tags else tags.get("dagster/run_key", ""),
        windows=frozenset(_windows(tags, job.window)) if job and job.window else frozenset(),
        created=run["creationTime"],
        ended=run["endTime"],
        work=tuple((step["startTime"], step["endTime"]) for step in run["stepStats"] if step["endTime"]),
    )


def _standing(schedule: dict[str, Any], runs: Sequence[SeenRun]) -> Board:
    on = schedule["scheduleState"]["status"] == "RUNNING"
    return Board(
        on=on,
        next_tick=schedule["futureTicks"]["results"][0]["timestamp"] if on else None,
        last_run=runs[-1].id if runs else None,
        last_status=runs[-1].status if runs else None,
        running=frozenset(run.id for run in runs if run.ended is None),
    )


def _told(entry: dict[str, Any]) -> Board:
    last = entry["last_run"] or {}
    return Board(
        on=entry["schedule"]["on"],
        next_tick=datetime.fromisoformat(entry["next_run"]).timestamp() if entry["next_run"] else None,
        last_run=last.get("id"),
        last_status=last.get("status"),
        running=frozenset(run["id"] for run in entry["running"]),
    )


def _asks_for(run: dict[str, Any], job: Job) -> bool:
    return any(key["path"][-1] in job.assets for key in run["assetSelection"] or ())


def _windows(tags: dict[str, str], length: timedelta) -> Iterable[Window]:
    single = tags.get("dagster/partition")
    first = tags.get("dagster/asset_partition_range_start", single)
    last = tags.get("dagster/asset_partition_range_end", single)
    if not first or not last:
        return ()
    return windows_between(window_of_key(first, length).start, window_of_key(last, length).end, length)
