"""Health of the clocks: this machine's, the database's and the store's, held against each other.

Windows close by the clock. Where clocks differ by more than 30 seconds the planner closes none (`control/states.py`).
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import text

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.errors import StoreUnavailable
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.health_stores import probe
from rustbucket_pipeline.upkeep.task import Bench

MOST = timedelta(seconds=30)
SETTLES = timedelta(seconds=1)
"""Stores say when an object was written to the second."""


def look_at_clocks(bench: Bench) -> Iterator[Finding]:
    """Of database and store, by how much their clock and ours differ."""
    if bench.clock is None:
        yield Finding("clock", "clocks", Health.UNKNOWN, "no clock of this machine to hold against others")
        return
    yield _held("database", bench.clock, lambda: _database_time(bench))
    yield _held("store", bench.clock, lambda: _store_time(bench))


def _held(whose: str, clock: Callable[[], datetime], ask: Callable[[], datetime]) -> Finding:
    """The other clock lies between two looks at ours, or it is off by what is missing."""
    before = clock()
    theirs = ask()
    after = clock()
    off = max(before - SETTLES - theirs, theirs - after - SETTLES, timedelta())
    seconds = round(off.total_seconds(), 1)
    figures = {f"{whose}_clock_seconds": seconds}
    subject = f"clock of the {whose}"
    if off <= MOST:
        return Finding("clock", subject, Health.OK, f"differs by {seconds} s", "", Kind.CLOCKS_DISAGREE, figures)
    why = f"it says {theirs:%Y-%m-%d %H:%M:%S} UTC at {after:%H:%M:%S}, {seconds:,.0f} s apart; no window is closed"
    return Finding("clock", subject, Health.ERROR, why, "set both by NTP", Kind.CLOCKS_DISAGREE, figures)


def _database_time(bench: Bench) -> datetime:
    with bench.engine.connect() as connection:
        return connection.execute(text("SELECT clock_timestamp()")).scalar_one()


def _store_time(bench: Bench) -> datetime:
    written = probe(bench.archive)
    if written is None:
        raise StoreUnavailable("an object that was written can't be listed; look at the store")
    return written.modified
