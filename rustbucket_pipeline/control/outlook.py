"""How things stand: the plan, made from Dagster's unfinished runs and our database. Reads only, at any time, by anyone.

Whoever asks for runs calls `claimed` first, so that two who look at once never ask for the same window.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.control.jobs import CHAIN
from rustbucket_pipeline.control.plan import Facts, Planned, plan
from rustbucket_pipeline.control.runs import Unfinished, switched_off, unfinished
from rustbucket_pipeline.control.states import clocks_agree, heard_until, stale_windows, wrong_windows
from rustbucket_pipeline.control.timetable import Timing, load_timetable
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.postgres import advisory_lock


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is due and why, in the order in which it is healed; what is being built; when jobs tick, which are off."""

    now: datetime
    planned: list[Planned]
    unfinished: Unfinished
    timetable: dict[str, Timing]
    off: frozenset[str]


def look(connection: Connection, instance: dg.DagsterInstance, settings: Settings, now: datetime) -> Outlook:
    """How things stand now.

    Dagster is asked first: a run that ends in between then still counts as unfinished, and its windows aren't asked
    for again.
    """
    since = settings.first_window(now)
    timetable = load_timetable(settings)
    running = unfinished(instance, since, now)
    off = switched_off(instance, timetable)
    facts = Facts(
        now=now,
        stale={asset: stale_windows(connection, asset, since, now) for job in CHAIN for asset in job.assets},
        ticks={name: timing.tick for name, timing in timetable.items()},
        heard_until=heard_until(connection, now),
        busy=running.windows,
        wrong=wrong_windows(connection),
        off=off,
        sources_keep=settings.sources_keep,
        clocks_agree=clocks_agree(connection),
    )
    return Outlook(now, plan(facts), running, timetable, off)


def look_now(engine: Engine, settings: Settings, now: datetime) -> Outlook:
    """How things stand now, on the instance of `DAGSTER_HOME`, for who has none at hand."""
    instance = dg.DagsterInstance.get()
    try:
        with engine.connect() as connection:
            return look(connection, instance, settings, now)
    finally:
        instance.dispose()


@contextmanager
def claimed(engine: Engine) -> Generator[Connection]:
    """A transaction in which to look and to note what is asked for; the next one waits for its end."""
    with engine.begin() as connection:
        advisory_lock(connection, "plan")
        yield connection
