"""What people say of windows: "this one is done", "forget that it was". Noted by whom, why and when.

A mark holds as long as the window's inputs stay what they are. It is no build: nothing is received or written by it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from sqlalchemy import Connection, Engine, delete, update
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.archive.completeness import Arrival, hours_between, waive
from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, CHAIN, PARSE_LOGS, Job
from rustbucket_pipeline.control.lineage import lineage, materialized
from rustbucket_pipeline.control.outlook import claimed
from rustbucket_pipeline.control.states import CODE_VERSIONS, stale_windows
from rustbucket_pipeline.control.success import Word, say_of
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.build import forget_hour
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import HOUR, Window, window_at
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.builds import EMPTY, FORGOTTEN, UPSTREAM, versions_between
from rustbucket_pipeline.storage.plan_tables import window_marks, window_requests
from rustbucket_pipeline.storage.tables import window_builds

LONGEST_REASON = 500

_WAIVED = frozenset({Arrival.MISSING, Arrival.EXPIRED, Arrival.PENDING})


@dataclass(frozen=True, slots=True)
class Marked:
    """What marking did: windows that aren't due any more, and hours waived of which rustbuckets."""

    windows: tuple[Window, ...]
    waived: tuple[tuple[str, Window], ...] = ()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a reset did: windows of which something was forgotten, those of them that are due again, and who waits."""

    windows: tuple[Window, ...]
    due: tuple[Window, ...]
    waiting: dict[str, tuple[Window, ...]]


def mark_windows(
    engine: Engine,
    instance: dg.DagsterInstance,
    settings: Settings,
    job: Job,
    windows: Collection[Window],
    who: str,
    reason: str,
    now: datetime,
) -> Marked:
    """Say that these windows are done as they are: they aren't due until their inputs change.

    Of archives this waives the hours that never came, of every rustbucket; they never count as received.

    Raises:
        UsageError: without a reason.
    """
    word = bounded(_reasoned(reason), LONGEST_REASON)
    with claimed(engine) as connection:
        stale = _stale(connection, settings, job, windows, now)
        waived = _waive(connection, windows, who, word, now) if job is ARCHIVE_LOGS else ()
        for asset, versions in stale.items():
            _mark(connection, asset, versions, who, word, now)
    facts = {"marked_by": who, "reason": word}
    with engine.connect() as connection:
        for asset, versions in stale.items():
            _report(connection, instance, asset, versions, facts)
    return Marked(tuple(sorted({window for versions in stale.values() for window in versions})), waived)


def mark_job(instance: dg.DagsterInstance, job: Job, who: str, reason: str) -> None:
    """Say that a job without windows is done now, as if it had run.

    Raises:
        UsageError: without a reason.
    """
    word = bounded(_reasoned(reason), LONGEST_REASON)
    say_of(instance, job.assets[0], Word.MARKED, {"marked_by": who, "reason": word})


def forget_windows(
    engine: Engine,
    instance: dg.DagsterInstance,
    settings: Settings,
    job: Job,
    windows: Collection[Window] | None,
    who: str,
    now: datetime,
) -> Forgotten:
    """Forget tries, marks and what these windows were built from, of all there are if None: they are due again.

    What was built stays as it is until then, and so does what was made of it.
    """
    with claimed(engine) as connection:
        found = _forget(connection, job, windows)
        due = tuple(
            sorted(
                {window for versions in _stale(connection, settings, job, found, now).values() for window in versions}
            )
        )
    for asset in job.assets if found else ():
        ordered = sorted(found)
        facts = {"reset_by": who, "first": ordered[0].key, "last": ordered[-1].key, "windows": str(len(ordered))}
        say_of(instance, asset, Word.RESET, facts)
    return Forgotten(tuple(sorted(found)), due, _waiting(job, due))


def forget_job(instance: dg.DagsterInstance, job: Job, who: str) -> None:
    """Forget that a job without windows ever succeeded: it is due now."""
    say_of(instance, job.assets[0], Word.RESET, {"reset_by": who})


def _reasoned(reason: str) -> str:
    if not reason.strip():
        raise UsageError("a mark needs a reason; say it with --reason")
    return reason.strip()


def _stale(
    connection: Connection, settings: Settings, job: Job, windows: Collection[Window], now: datetime
) -> dict[str, dict[Window, str]]:
    """By asset, those of the windows that aren't built from what is there, and the version of that."""
    chosen, since = set(windows), settings.first_window(now)
    return {
        asset: {one.window: one.version for one in stale_windows(connection, asset, since, now) if one.window in chosen}
        for asset in job.assets
    }


def _mark(
    connection: Connection, asset: str, versions: dict[Window, str], who: str, reason: str, now: datetime
) -> None:
    rows = [
        {
            "asset": asset,
            "window_start": window.start,
            "inputs_version": version,
            "marked_by": who,
            "reason": reason,
            "marked_at": now,
        }
        for window, version in versions.items()
    ]
    if rows:
        statement = insert(window_marks)
        written = {name: statement.excluded[name] for name in ("inputs_version", "marked_by", "reason", "marked_at")}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["asset", "window_start"], set_=written), rows
        )


def _report(
    connection: Connection,
    instance: dg.DagsterInstance,
    asset: str,
    windows: Iterable[Window],
    facts: dict[str, str],
) -> None:
    """Tell Dagster: a window of rows counts as materialized, with the version it has; an archive's never does."""
    for window in windows:
        if asset not in UPSTREAM:
            say_of(instance, asset, Word.MARKED, facts, window.key)
            continue
        built = versions_between(connection, asset, window.start, window.end).get(window.start)
        tags = lineage(instance, asset, window, CODE_VERSIONS[asset])
        event = materialized(asset, window, built.output if built else EMPTY, facts, tags)
        instance.report_runless_asset_event(event)


def _waive(
    connection: Connection, windows: Collection[Window], who: str, reason: str, now: datetime
) -> tuple[tuple[str, Window], ...]:
    """Waive what never came of the hours these windows lie in, of every rustbucket."""
    hours = sorted({hour for hour in (window_at(one.start, HOUR) for one in windows) if hour.end <= now})
    gaps = [
        (state.rustbucket_id, hour)
        for hour in hours
        for state in hours_between(connection, hour.start, hour.end, now)
        if state.arrival in _WAIVED
    ]
    for rustbucket, hour in gaps:
        waive(connection, rustbucket, hour.start, who, reason, now)
    return tuple(gaps)


def _forget(connection: Connection, job: Job, windows: Collection[Window] | None) -> set[Window]:
    """Forget, and say of which windows there was something to forget."""
    starts = None if windows is None else [window.start for window in windows]
    own_builds, own_marks = window_builds.c.asset.in_(job.assets), window_marks.c.asset.in_(job.assets)
    own_requests = window_requests.c.job == job.name
    if starts is not None:
        own_builds &= window_builds.c.window_start.in_(starts)
        own_marks &= window_marks.c.window_start.in_(starts)
        own_requests &= window_requests.c.window_start.in_(starts)
    forget = update(window_builds).where(own_builds, window_builds.c.inputs_version != FORGOTTEN)
    found = {
        *connection.execute(
            forget.values(inputs_version=FORGOTTEN, attempts=0).returning(window_builds.c.window_start)
        ).scalars(),
        *connection.execute(delete(window_marks).where(own_marks).returning(window_marks.c.window_start)).scalars(),
        *connection.execute(
            delete(window_requests).where(own_requests).returning(window_requests.c.window_start)
        ).scalars(),
    }
    windows = {Window(start, job.window) for start in found if job.window is not None}
    if job is PARSE_LOGS:
        for window in windows:
            forget_hour(connection, window)
    return windows


def _waiting(job: Job, due: Collection[Window]) -> dict[str, tuple[Window, ...]]:
    """By job, the windows that aren't built anew before these are."""
    waiting: dict[str, tuple[Window, ...]] = {}
    for later in CHAIN[CHAIN.index(job) + 1 :]:
        if later.window is not None and due:
            length = later.window
            waiting[later.name] = tuple(sorted({window_at(window.start, length) for window in due}))
    return waiting
