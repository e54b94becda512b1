"""What a tick costs with years of windows: `python -m benchmarks.planning [years]` (3).

Measured: the real heal sensor's work, `look` over every window there ever was, in PostgreSQL, with Dagster's history in
the same server; first with nothing to do, then with every hour stale at once (a new parser). Goal: under 1 s each.
"""

import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from sqlalchemy import Engine, text

from benchmarks.measure import seconds_of
from rustbucket_pipeline.control.outlook import claimed, look
from rustbucket_pipeline.control.plan import for_heal
from rustbucket_pipeline.control.promises import newest_windows_built
from rustbucket_pipeline.control.reported import START, unreported
from rustbucket_pipeline.control.states import CODE_VERSIONS
from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, windows_between
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings, load_settings
from rustbucket_pipeline.storage.builds import (
    UPSTREAM,
    Build,
    inputs_version_from,
    record_builds,
    version_of,
    versions_between,
)
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.postgres import open_database

LENGTHS = {"log_archives": HALF_HOUR, "parsed_logs": HOUR, "window_digest": FOUR_HOURS, "log_analysis": FOUR_HOURS}
GOAL_SECONDS = 1.0
TIMES = 5


def build_all(engine: Engine, since: datetime, now: datetime) -> int:
    """Note every window of every asset since then as built from what is there; how many."""
    count = 0
    for asset, length in LENGTHS.items():
        with engine.begin() as connection:
            upstream = versions_between(connection, UPSTREAM[asset].asset, since, now) if asset in UPSTREAM else {}
            windows = [window for window in windows_between(since, now, length) if window.end <= now]
            code = CODE_VERSIONS.get(asset, "1")
            versions = ["asked" if not upstream else inputs_version_from(asset, one, code, upstream) for one in windows]
            outputs = [version_of([asset, window.key]) for window in windows]
            builds = zip(windows, versions, outputs, strict=True)
            record_builds(connection, [Build(asset, one, inputs, out, code, None) for one, inputs, out in builds], now)
            count += len(windows)
    return count


def measure(settings: Settings, years: int) -> bool:
    """Fill, look and print; whether the goal is met."""
    now = datetime.now(UTC)
    engine, instance = open_database(settings), dg.DagsterInstance.get()
    windows = build_all(engine, settings.first_window(now), now)
    print(f"{years} years: {windows:,} windows")

    def tick() -> int:
        with claimed(engine) as connection:
            outlook = look(connection, instance, settings, now)
            due = len(for_heal(outlook.planned))
        with engine.connect() as connection:
            unreported(connection, instance, outlook.unfinished, now, now, START)
            for asset in LENGTHS:
                newest_windows_built(connection, asset, now)
        return due

    good = _show("nothing to do", tick)
    with engine.begin() as connection:
        connection.execute(text("UPDATE window_builds SET inputs_version = 'old' WHERE asset = 'parsed_logs'"))
    good &= _show("every hour stale", tick)
    print(f"peak memory      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    engine.dispose()
    instance.dispose()
    return good


def _show(name: str, tick: Callable[[], int]) -> bool:
    first, due = time.perf_counter(), tick()
    first = time.perf_counter() - first
    best = seconds_of(tick, TIMES)
    met = "met" if best < GOAL_SECONDS else "MISSED"
    print(f"{name:16} {due:7,} due  first {first:5.2f} s  best of {TIMES} {best:5.2f} s  goal {GOAL_SECONDS:g} s {met}")
    return best < GOAL_SECONDS


def main() -> int:
    """Measure in a home of its own, which is thrown away."""
    years = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    home = Path(tempfile.mkdtemp(prefix="rustbucket-bench-"))
    try:
        since = datetime.now(UTC) - timedelta(days=365 * years)
        os.environ.update(
            environment(home) | {"RUSTBUCKET_SINCE": since.isoformat(), "DAGSTER_HOME": str(PROJECT_ROOT)}
        )
        with shared(home):
            return 0 if measure(load_settings(), years) else 1
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
