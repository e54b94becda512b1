"""Health of the room there is: free space on the disks of home and archive, and the size of the databases."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.storage import databases
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

GIGABYTE = 1e9
_BAD_SHARE = 4


def look_at_room(bench: Bench) -> Iterator[Finding]:
    """The disks of ours, and the databases, which may lie on a disk of their own."""
    yield from _disks(bench)
    yield _databases(bench)


def _disks(bench: Bench) -> Iterator[Finding]:
    """Free space of each disk of this machine that holds something of ours."""
    least = bench.settings.health_disk_free_percent
    for name, path in _places(bench):
        usage = shutil.disk_usage(path)
        free = 100 * usage.free / usage.total
        health = Health.OK if free >= least else Health.WARNING if free >= least / _BAD_SHARE else Health.ERROR
        yield Finding(
            component="disk",
            subject=f"disk of the {name}",
            health=health,
            why=f"{usage.free / GIGABYTE:,.1f} GB of {usage.total / GIGABYTE:,.0f} GB free ({free:.0f} %)",
            do="" if health is Health.OK else f"make room below {path}, or keep less (RUSTBUCKET_…_KEEP_DAYS)",
            kind=Kind.DISK_OR_DATABASE_SIZE,
            figures={f"{name}_free_bytes": usage.free},
        )


def _places(bench: Bench) -> Iterator[tuple[str, Path]]:
    """Home, and the archive's directory where it lies on another disk."""
    home = bench.settings.home
    yield "home", home
    archive = bench.archive.directory
    if archive is not None and archive.exists() and archive.stat().st_dev != home.stat().st_dev:
        yield "archive", archive


def _databases(bench: Bench) -> Finding:
    history = databases.history_address(bench.settings).database
    with bench.engine.connect() as connection:
        row = connection.execute(load_sql("rustbucket_pipeline.upkeep", "health_database"), {"history": history}).one()
    most = bench.settings.health_database_max_gb
    large = most is not None and row.ours + row.history > most * GIGABYTE
    return Finding(
        component="disk",
        subject="size of the databases",
        health=Health.WARNING if large else Health.OK,
        why=f"{row.ours / GIGABYTE:,.2f} GB, and {row.history / GIGABYTE:,.2f} GB of Dagster's",
        do="keep less (RUSTBUCKET_…_KEEP_DAYS), or raise RUSTBUCKET_HEALTH_DATABASE_MAX_GB" if large else "",
        kind=Kind.DISK_OR_DATABASE_SIZE,
        figures={"database_bytes": row.ours, "history_bytes": row.history},
    )
