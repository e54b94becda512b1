"""Archiving a directory of logs (list, read, frame, cut, hash, compress, store, ledger), against `zstd -3` alone."""

from datetime import datetime, timedelta
from pathlib import Path

import zstandard
from sqlalchemy import Engine, insert

from benchmarks.measure import Comparison, seconds_of
from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbuckets

RUSTBUCKET = "BKT100001"
LEVEL = 3


def compare_archiving(engine: Engine, archive: Archive, folder: Path, hours: dict[datetime, bytes]) -> Comparison:
    """One rustbucket's hourly files, durable in a plain directory; the yardstick writes nothing at all."""
    for hour, log in hours.items():
        (folder / f"rustbucket.log.{hour:%Y-%m-%d-%H}").write_bytes(log)
    first, now = min(hours), max(hours) + timedelta(hours=2)
    with engine.begin() as connection:
        values = {"id": RUSTBUCKET, "name": "measured", "status": "active", "registered_at": first}
        connection.execute(insert(rustbuckets).values(values))
    context = PullContext(engine, archive, first, now, None)
    ours = seconds_of(lambda: pull_fleet(context, {RUSTBUCKET: lambda: [DirectorySource(folder)]}, ()))
    alone = seconds_of(lambda: [zstandard.compress(path.read_bytes(), LEVEL) for path in sorted(folder.iterdir())])
    return Comparison("archiving", "zstd -3 alone", sum(map(len, hours.values())), ours, alone)
