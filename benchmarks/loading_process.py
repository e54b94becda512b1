"""Every archived hour parsed and loaded, in a process of its own, as `loading_memory` starts it.

Argument: the time of the run; the environment names the home. Prints one line of JSON.
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from pathlib import Path
from threading import Event

from sqlalchemy import Engine, select, text

from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.events.new_day import load_new_day
from rustbucket_pipeline.events.shares import load_shares, shares_of
from rustbucket_pipeline.model.window import HOUR, Window, window_at
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.event_days import ensure_event_partition
from rustbucket_pipeline.storage.objects import Archive, open_archive
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline.storage.tables import segments

KILOBYTE = 1024


def main() -> None:
    """Load, then join sessions; print seconds, bytes, rows, and the most memory resident.

    That is here and in the process that reads beside this one, if there was one, and in our backend.
    """
    settings, now = load_settings(), datetime.fromisoformat(sys.argv[1])
    engine, archive = open_database(settings), open_archive(settings)
    hours = _archived_hours(engine)
    begun = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        over = Event()
        beside = pool.submit(_most_beside, over)
        load_days(engine, archive, hours)
        seconds = time.perf_counter() - begun
        over.set()
    peak = _peak("self") + beside.result()
    outcomes = [build_hour(engine, archive, hour, now, None) for hour in hours]
    with engine.connect() as connection:  # the pool's only connection, so the backend that loaded
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        told = {
            "seconds": seconds,
            "bytes": sum(outcome.archived_bytes for outcome in outcomes),
            "rows": sum(outcome.events for outcome in outcomes),
            "loading": peak,
            "peak": max(peak, _peak("self")),
            "backend": _peak(backend),
        }
    print(json.dumps(told))


def load_days(engine: Engine, archive: Archive, hours: Iterable[Window]) -> None:
    """Parse and load as `parsed_logs` does: what is new of a day together, what that leaves hour by hour."""
    for _, some in groupby(hours, lambda hour: hour.start.date()):
        of_day = list(some)
        if not load_new_day(engine, archive, of_day, of_day[-1].end):
            for hour in of_day:
                load_hour(engine, archive, hour)


def load_hour(engine: Engine, archive: Archive, window: Window) -> None:
    """Parse and load the hour as `build_hour` does, but join no sessions; that finds it loaded and does the rest."""
    with engine.begin() as connection:
        ensure_event_partition(connection, window.start.date())
        load_shares(connection, archive, [(window, share) for share in shares_of(connection, window, ())], ())


def _archived_hours(engine: Engine) -> list[Window]:
    with engine.connect() as connection:
        starts = connection.execute(select(segments.c.window_start)).scalars()
        return sorted({window_at(start, HOUR) for start in starts}, key=lambda window: window.start)


def _most_beside(over: Event) -> int:
    """The peak of the largest child this process has until it is over; looked at often: they end without a word."""
    most = 0
    while not over.wait(0.05):
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError, AssertionError):
                most = max(most, _peak(child))
    return most


def _peak(process: str | int) -> int:
    """Bytes. Not `getrusage`: a process that was forked there begins with its parent's peak."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) * KILOBYTE


if __name__ == "__main__":
    main()
