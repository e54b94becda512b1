"""How much memory parsing and loading takes at most: 2 GB of JSON log, in many hours, and all within one.

Loaded by a process of its own (`loading_process`); what PostgreSQL takes is shown beside it, not counted.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from benchmarks.loading_logs import NOW, own_home, register
from benchmarks.logs import FIRST_HOUR, hour_after_hour, played_hour
from benchmarks.measure import MEGABYTE
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.postgres import open_database

SIZE = 2 * 10**9
RESIDENT = 500
"""The goal, in MB."""

_MINUTE = 60_000_000
_TIME = re.compile(rb'^(\{"timestamp":"[0-9T:-]{19}\.[0-9]{3})([0-9]{3})', re.MULTILINE)


def little_memory() -> bool:
    """Whether both logs stay under the goal."""
    many = _loaded("many hours", ((hour, [log]) for hour, log in hour_after_hour(SIZE)))
    one = _loaded("one hour", [(FIRST_HOUR, one_hour(SIZE))])
    return many and one


def one_hour(size: int) -> Iterator[bytes]:
    """An hour of at least `size` bytes: the played one many times, minute by minute, each time some µs later."""
    played = played_hour("json")
    copies = -(-size // sum(len(line.data) for line in played))
    for _, lines in groupby(played, lambda line: line.at // _MINUTE):
        minute = b"".join(line.data for line in lines)
        for copy in range(copies):
            yield _later(minute, copy)


def _later(log: bytes, by: int) -> bytes:
    return _TIME.sub(lambda time: b"%b%03d" % (time[1], (int(time[2]) + by) % 1000), log)


def _loaded(name: str, hours: Iterable[tuple[datetime, Iterable[bytes]]]) -> bool:
    with own_home() as home, shared(home, durable=False):
        engine = open_database(load_settings())
        register(engine)
        engine.dispose()
        folder = home / "logs"
        folder.mkdir()
        for hour, log in hours:
            with (folder / f"rustbucket.log.{hour:%Y-%m-%d-%H}").open("wb") as file:
                file.writelines(log)
        _run("benchmarks.archiver", str(home), str(folder), NOW.isoformat())
        done = _run("benchmarks.loading_process", NOW.isoformat())
    size, loading, peak, backend = (done[name] / MEGABYTE for name in ("bytes", "loading", "peak", "backend"))
    print(f"{name:10}  {size:6.0f} MB  {size / done['seconds']:5.1f} MB/s  {done['rows']:,.0f} rows", end="")
    print(f"  {loading:.0f} MB resident at most, {peak:.0f} with sessions, goal {RESIDENT}; backend {backend:.0f} MB")
    return peak < RESIDENT


def _run(module: str, *arguments: str) -> dict[str, float]:
    return json.loads(
        subprocess.run([sys.executable, "-m", module, *arguments], check=True, capture_output=True).stdout
    )
