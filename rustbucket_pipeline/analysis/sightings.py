"""What each window held, noted for those after it: the baseline that `new` and `usual` are told by.

A window's notes are a function of its rows, made once; where the rows changed since, or there are none yet, they are
made by the first window that asks.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.analysis.gather import PACKAGE, Gathered, gather
from rustbucket_pipeline.analysis.version import DIGEST_VERSION
from rustbucket_pipeline.analysis.vocabulary import vocabulary_version
from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.model.window import FOUR_HOURS, Window, window_at
from rustbucket_pipeline.storage.analysis_tables import sighted_windows, sightings, window_counts
from rustbucket_pipeline.storage.builds import Versions, versions_between
from rustbucket_pipeline.storage.closed_days import frozen_between
from rustbucket_pipeline.storage.postgres import advisory_lock, load_sql

LOOKBACK = timedelta(days=7)
"""How far back `new` and `usual` look: 42 windows."""


def gather_and_note(connection: Connection, window: Window) -> Gathered:
    """Gather the window, with the notes of it and of the windows before it up to date."""
    since = window.start - LOOKBACK
    advisory_lock(connection, "sightings")
    versions = _inputs(versions_between(connection, "parsed_logs", since, window.end))
    noted = _noted(connection, since, window.start)
    frozen = {day.day for day in frozen_between(connection, since, window.start)}  # their rows aren't here: notes stay
    for start in sorted(versions.keys() | noted.keys()):
        if start < window.start and start.date() not in frozen and noted.get(start) != versions.get(start):
            past = Window(start, FOUR_HOURS)
            gather(connection, past)
            _note(connection, past, versions.get(start))
    gathered = gather(connection, window)
    _note(connection, window, versions.get(window.start))
    return gathered


def _inputs(built: Mapping[datetime, Versions]) -> dict[datetime, str]:
    """By window: the version of the rows of its hours, of our code, and of the words that fingerprints are made of."""
    hours: dict[datetime, list[str]] = {}
    for start in sorted(built):
        hours.setdefault(window_at(start, FOUR_HOURS).start, []).append(f"{start.isoformat()} {built[start].output}")
    ours = (DIGEST_VERSION, vocabulary_version())
    return {window: version_of([*ours, *parts]) for window, parts in hours.items()}


def _noted(connection: Connection, since: datetime, until: datetime) -> dict[datetime, str]:
    table = sighted_windows
    rows = connection.execute(select(table).where(table.c.window_start >= since, table.c.window_start < until))
    return {row.window_start: row.inputs_version for row in rows}


def _note(connection: Connection, window: Window, inputs: str | None) -> None:
    """Replace the window's notes by what was gathered; of a window without built hours nothing is kept."""
    for table in (sightings, window_counts, sighted_windows):
        connection.execute(delete(table).where(table.c.window_start == window.start))
    if inputs is None:
        return
    connection.execute(load_sql(PACKAGE, "remember"), {"start": window.start})
    connection.execute(load_sql(PACKAGE, "remember_counts"), {"start": window.start, "end": window.end})
    connection.execute(insert(sighted_windows).values(window_start=window.start, inputs_version=inputs))
