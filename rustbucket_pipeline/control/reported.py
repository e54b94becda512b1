"""Builds that Dagster doesn't know of: a run that was killed between its commit and its event, or a lost history.

Each build is looked at once, in the order they were made; where that stands is the heal sensor's cursor, which is lost
with the history and so begins anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

import dagster as dg
from sqlalchemy import Connection, Row, literal, select, tuple_

from rustbucket_pipeline.control.jobs import job_of
from rustbucket_pipeline.control.runs import Unfinished
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.builds import Build
from rustbucket_pipeline.storage.tables import window_builds

MOST = 200
"""Builds looked at per tick: reporting one takes about 20 ms."""

SLACK = timedelta(minutes=5)
"""How much later than its own clock a build may have been committed, its run unfinished or not."""

VERSION = "dagster/data_version"

Mark = tuple[datetime, str, datetime]
"""A build's place in their order: when it was built, its asset, its window's start."""

START: Mark = (datetime(1970, 1, 1, tzinfo=UTC), "", datetime(1970, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Found:
    """Builds to report, and up to where every build is known to be reported once they are."""

    builds: list[Build]
    mark: Mark


def unreported(
    connection: Connection,
    instance: dg.DagsterInstance,
    running: Unfinished,
    first: datetime,
    now: datetime,
    mark: Mark,
) -> Found:
    """The builds after the mark, of windows since `first` that are over, whose version Dagster wasn't told."""
    order = tuple_(window_builds.c.built_at, window_builds.c.asset, window_builds.c.window_start)
    rows = connection.execute(
        select(window_builds).where(order > tuple_(*map(literal, mark))).order_by(order).limit(MOST)
    ).all()
    settled = min(now, running.since or now) - SLACK
    done = [(row.built_at, row.asset, row.window_start) for row in rows if row.built_at <= settled]
    builds = [_build(row) for row in rows if row.run_id not in running.ids]
    over = [build for build in builds if first <= build.window.start and build.window.end <= now]
    return Found(list(_missing(instance, over)), done[-1] if done else mark)


def mark_of(text: str | None) -> Mark:
    """The mark a cursor holds; the very first where there is none."""
    if not text:
        return START
    built_at, asset, start = text.split("|")
    return datetime.fromisoformat(built_at), asset, datetime.fromisoformat(start)


def text_of(mark: Mark) -> str:
    """The mark as a cursor."""
    return f"{mark[0].isoformat()}|{mark[1]}|{mark[2].isoformat()}"


def _missing(instance: dg.DagsterInstance, builds: Iterable[Build]) -> Iterable[Build]:
    for asset, group in groupby(sorted(builds, key=lambda build: build.asset), key=lambda build: build.asset):
        own = {build.window.key: build for build in group}
        told = _told(instance, asset, set(own))
        yield from (build for key, build in own.items() if told.get(key) != build.output_version)


def _told(instance: dg.DagsterInstance, asset: str, keys: set[str]) -> dict[str, str]:
    """The data version of the newest materialization of each of these partitions that has one."""
    key = dg.AssetKey(asset)
    newest = instance.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION, keys)
    if not newest:
        return {}
    ids = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(newest.values()))
    records = instance.fetch_materializations(ids, limit=len(newest)).records
    events = (record.asset_materialization for record in records)
    return {event.partition: (event.tags or {}).get(VERSION, "") for event in events if event and event.partition}


def _build(row: Row[tuple[object, ...]]) -> Build:
    length = job_of(row.asset).window or timedelta(0)
    window = Window(row.window_start, length)
    return Build(row.asset, window, row.inputs_version, row.output_version, row.code_version, row.run_id)
