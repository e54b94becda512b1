"""The heal sensor: what no schedule takes is run, of any age; what was built and never reported is reported.

It compares what is there with what was built from, at each tick anew. All it remembers is where it stopped looking for
unreported builds, and what it said of each asset last: both only save work, and may be lost.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import dagster as dg
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.control.jobs import CHAIN
from rustbucket_pipeline.control.lineage import lineage, materialized
from rustbucket_pipeline.control.outlook import claimed, look
from rustbucket_pipeline.control.overdue import note_overdue
from rustbucket_pipeline.control.plan import for_heal, stretches
from rustbucket_pipeline.control.promises import newest_windows_built
from rustbucket_pipeline.control.reported import START, Mark, mark_of, text_of, unreported
from rustbucket_pipeline.control.states import note_requests
from rustbucket_pipeline.defs.checks import NEWEST_BUILT, evaluation
from rustbucket_pipeline.defs.jobs import ASSET_JOBS
from rustbucket_pipeline.defs.requests import request_for
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.builds import Build

MOST_RUNS = 8
"""Runs of the heal sensor at once, waiting ones included: a long backlog doesn't keep the schedules' runs waiting."""

EVERY_SECONDS = 15

AssetEvent = dg.AssetMaterialization | dg.AssetCheckEvaluation


@dataclass(frozen=True, slots=True)
class _Memory:
    """The cursor: up to which build everything is reported, and whether each asset's newest windows were built."""

    mark: Mark
    kept: dict[str, bool]

    @classmethod
    def of(cls, cursor: str | None) -> "_Memory":
        try:
            found = json.loads(cursor or "{}")
            return cls(mark_of(found.get("reported")), dict(found.get("kept", {})))
        except (ValueError, TypeError, AttributeError):
            return cls(START, {})  # somebody else's: looking at everything again does no harm

    def text(self) -> str:
        return json.dumps({"reported": text_of(self.mark), "kept": self.kept})


@dg.sensor(
    name="heal",
    jobs=[ASSET_JOBS[job.name] for job in CHAIN],
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs what its schedule missed, what failed and what is older than a day, of any age. Says what "
    "`rustbucket plan` says.",
)
def heal(
    context: dg.SensorEvaluationContext,
    database: dg.ResourceParam[Engine],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.SensorResult:
    """Ask for runs of what is due and no schedule's; say so when nothing is."""
    now, memory = clock(), _Memory.of(context.cursor)
    with claimed(database) as connection:
        outlook = look(connection, context.instance, settings, now)
        room = max(0, MOST_RUNS - outlook.unfinished.healing)
        runs = list(islice(stretches(for_heal(outlook.planned)), room))
        asking = [item for run in runs for item in run]
        note_requests(connection, asking, now)
        note_overdue(connection, outlook.planned, asking, now)
    with database.connect() as connection:
        first = settings.first_window(now)
        found = unreported(connection, context.instance, outlook.unfinished, first, now, memory.mark)
        checks = _standings(connection, memory, now)
    events: list[AssetEvent] = [_report(context.instance, build) for build in found.builds]
    left = len(outlook.planned)
    return dg.SensorResult(
        run_requests=[request_for(run, now) for run in runs],
        skip_reason=None
        if runs
        else f"nothing to heal; {left} windows wait or are their schedule's: `rustbucket plan`",
        asset_events=[*events, *checks.values()],
        cursor=_Memory(found.mark, memory.kept | {name: check.passed for name, check in checks.items()}).text(),
    )


def _report(instance: dg.DagsterInstance, build: Build) -> dg.AssetMaterialization:
    """A build that Dagster wasn't told of, as its run would have told it."""
    tags = lineage(instance, build.asset, build.window, build.code_version)
    facts = {"reported": "later, by the heal sensor", "run": build.run_id or "unknown"}
    return materialized(build.asset, build.window, build.output_version, facts, tags)


def _standings(connection: Connection, memory: _Memory, now: datetime) -> dict[str, dg.AssetCheckEvaluation]:
    """The check of each asset whose newest windows are built since the last tick, or aren't any more."""
    promises = {asset: newest_windows_built(connection, asset, now) for job in CHAIN for asset in job.assets}
    return {
        asset: evaluation(asset, NEWEST_BUILT, promise)
        for asset, promise in promises.items()
        if memory.kept.get(asset) is not promise.kept
    }
