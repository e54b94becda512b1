"""How large Dagster's history becomes, and what pruning leaves: `python -m benchmarks.history [days]` (28).

Each job runs once for real, on an empty fleet. Its rows are then copied for as many days as asked, with ids, windows
and times of their own, and a year is reckoned from them. Pruning is the real one, of all of those days.
"""

import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, text

from rustbucket_pipeline.control.history import open_history
from rustbucket_pipeline.control.jobs import JOBS, Job
from rustbucket_pipeline.control.pruning import prune
from rustbucket_pipeline.control.runs import Runner
from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.model.window import Window, window_at
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings, load_settings
from rustbucket_pipeline.storage.embedded import shared

TABLES = ("event_logs", "runs", "run_tags", "asset_event_tags", "asset_check_executions")
A_DAY = {"poll_fleet": 96, "archive_logs": 48, "parse_logs": 24, "analyse_windows": 6}
"""Runs; of every other job one."""

YEAR, KEPT, MEGABYTE = 365, 180, 1e6

COPIES = """
CREATE TEMP TABLE copies ON COMMIT DROP AS
SELECT n, gen_random_uuid()::text AS run, :every * n AS age,
    to_char(CAST(:start AS timestamptz) AT TIME ZONE 'UTC' - :every * n, 'YYYY-MM-DD-HH24:MI') AS window_key
FROM generate_series(1, :count) AS n;
"""
NEW = "replace(replace({0}, :run, copies.run), :key, copies.window_key)"
FILL = (
    f"""
INSERT INTO runs (run_id, snapshot_id, pipeline_name, mode, status, run_body, partition, partition_set,
    create_timestamp, update_timestamp, start_time, end_time, backfill_id)
SELECT copies.run, snapshot_id, pipeline_name, mode, status, {NEW.format("run_body")}, {NEW.format("partition")},
    partition_set, create_timestamp - age, update_timestamp - age, start_time, end_time, backfill_id
FROM runs, copies WHERE run_id = :run ORDER BY n DESC
""",
    f"""
INSERT INTO run_tags (run_id, key, value)
SELECT copies.run, key, {NEW.format("value")} FROM run_tags, copies WHERE run_id = :run ORDER BY n DESC
""",
    f"""
INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
SELECT copies.run, {NEW.format("event")}, dagster_event_type, timestamp - age, step_key, asset_key,
    {NEW.format("partition")}
FROM event_logs, copies WHERE run_id = :run ORDER BY n DESC, event_logs.id
""",
    """
INSERT INTO asset_event_tags (event_id, asset_key, key, value, event_timestamp)
SELECT copied.id, tag.asset_key, tag.key, tag.value, tag.event_timestamp - age
FROM copies
JOIN event_logs AS copied ON copied.run_id = copies.run
JOIN event_logs AS original ON original.run_id = :run AND original.asset_key = copied.asset_key
    AND original.dagster_event_type = copied.dagster_event_type
JOIN asset_event_tags AS tag ON tag.event_id = original.id
""",
    f"""
INSERT INTO asset_check_executions (asset_key, check_name, partition, run_id, execution_status, evaluation_event,
    evaluation_event_timestamp, evaluation_event_storage_id, create_timestamp)
SELECT asset_key, check_name, partition, copies.run, execution_status, {NEW.format("evaluation_event")},
    evaluation_event_timestamp - age, NULL, create_timestamp - age
FROM asset_check_executions, copies WHERE run_id = :run ORDER BY n DESC
""",
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes by table, indexes and all."""

    tables: dict[str, int]

    @classmethod
    def of(cls, history: Engine) -> "Sizes":
        """As they are once nothing in them is dead."""
        with history.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM FULL {', '.join(TABLES)}"))
            query = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
            return cls({name: connection.execute(query, {"name": name}).scalar_one() for name in TABLES})


def copy_run(connection: Connection, job: Job, run: str, window: Window | None, days: int) -> int:
    """Copy the rows of the job's run for each of its runs of those days; how many."""
    a_day = A_DAY.get(job.name, 1)
    own = {"run": run, "key": window.key if window else "no window"}
    every = {"every": timedelta(days=1) / a_day, "start": window.start if window else datetime.now(UTC)}
    connection.execute(text(COPIES), {**every, "count": days * a_day})
    for statement in FILL:
        connection.execute(text(statement), own)
    return days * a_day


def run_once(runner: Runner, job: Job) -> tuple[str, Window | None]:
    """A real run of the job, of its newest window; its id and window."""
    if job.window is None:
        return runner.run(job), None
    window = Window(window_at(datetime.now(UTC), job.window).start - job.window, job.window)
    return runner.run(job, window, window), window


def measure(settings: Settings, days: int) -> None:
    """Run, copy, prune, print."""
    with dg.DagsterInstance.get():
        pass
    history, runner = open_history(settings), Runner.open()
    empty = Sizes.of(history)
    made = {job: run_once(runner, job) for job in JOBS}
    copied = 0
    for job, (run, window) in made.items():
        with history.begin() as connection:
            copied += copy_run(connection, job, run, window, days)
    full = Sizes.of(history)
    with history.connect() as connection:
        events = connection.execute(text("SELECT count(*) FROM event_logs")).scalar_one() / (copied + len(JOBS))
    begun = time.perf_counter()
    pruned = prune(history, datetime.now(UTC) + timedelta(minutes=1), lambda _: None, most=10**9)
    seconds = time.perf_counter() - begun
    left = Sizes.of(history)
    table = Table(box=None, pad_edge=False)
    for column in ("MB", "a year of runs", "of it stays", "settled at 180 days, after a year"):
        table.add_column(column, justify="left" if column == "MB" else "right")
    for name in (*TABLES, "all"):
        table.add_row(name, *_row(*(_bytes(sizes, name) for sizes in (empty, full, left)), days))
    Console(width=120).print(table)
    print(f"{copied:,} runs of {days} days, {events:.0f} events a run")
    pace = pruned.runs / seconds
    print(f"pruned {pruned.runs:,} runs in {seconds:.0f} s, {pace:.0f} a second; {pruned.kept:,} events stay")
    runner.close()
    history.dispose()


def _bytes(sizes: Sizes, name: str) -> int:
    return sum(sizes.tables.values()) if name == "all" else sizes.tables[name]


def _row(empty: int, full: int, left: int, days: int) -> tuple[str, str, str]:
    year, stays = (full - empty) / days * YEAR, (left - empty) / days * YEAR
    settled = (year * KEPT + stays * (YEAR - KEPT)) / YEAR
    return f"{year / MEGABYTE:,.0f}", f"{stays / MEGABYTE:,.0f}", f"{settled / MEGABYTE:,.0f}"


def main() -> None:
    """Measure in a home of its own, which is thrown away."""
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 28
    home = Path(tempfile.mkdtemp(prefix="rustbucket-bench-"))
    try:
        os.environ.update(environment(home) | {"DAGSTER_HOME": str(PROJECT_ROOT)})
        with shared(home):
            measure(load_settings(), days)
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
