"""Health of the disks: whether home and archive have room."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

GIGABYTE = 1e9
_BAD_SHARE = 4


def look_at_disks(bench: Bench) -> Iterator[Finding]:
    """Free space of each disk that holds something of ours and is this machine's."""
    least = bench.settings.health_disk_free_percent
    for subject, path in _places(bench):
        usage = shutil.disk_usage(path)
        free = 100 * usage.free / usage.total
        health = Health.OK if free >= least else Health.WARNING if free >= least / _BAD_SHARE else Health.ERROR
        yield Finding(
            component="disk",
            subject=subject,
            health=health,
            why=f"{usage.free / GIGABYTE:,.1f} GB of {usage.total / GIGABYTE:,.0f} GB free ({free:.0f} %)",
            do="" if health is Health.OK else f"make room below {path}, or keep less (RUSTBUCKET_…_KEEP_DAYS)",
            kind=Kind.DISK_OR_DATABASE_SIZE,
            figures={f"{subject}_free_bytes": usage.free},
        )


def _places(bench: Bench) -> Iterator[tuple[str, Path]]:
    """Home, and the archive's directory where it lies on another disk."""
    home = bench.settings.home
    yield "disk of the home", home
    archive = bench.archive.directory
    if archive is not None and archive.exists() and archive.stat().st_dev != home.stat().st_dev:
        yield "disk of the archive", archive
