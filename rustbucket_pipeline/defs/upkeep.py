"""The upkeep tasks as assets of the group `upkeep`. Their jobs and schedules follow from `control/jobs.py`.

A dry run is an observation, not a materialization: nothing was done.
"""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import OWNER, job_of_task
from rustbucket_pipeline.control.seen import Seen
from rustbucket_pipeline.control.told import DRY_RUN, metadata_of, step_of
from rustbucket_pipeline.defs.failing import as_failure
from rustbucket_pipeline.defs.freshness import freshness_of
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.upkeep.task import Bench, Task
from rustbucket_pipeline.upkeep.tasks import TASKS


class HowToRun(dg.Config):
    """How to run a task, this time."""

    dry_run: bool = Field(default=False, description="Tell what would be done, and change nothing.")


Events = Iterator[dg.MaterializeResult | dg.AssetObservation]


def _asset(task: Task) -> dg.AssetsDefinition:
    job = job_of_task(task)
    spec = dg.AssetSpec(
        task.name,
        deps=list(task.deps),
        description=f"{task.what} Every {job.every}; by hand with `rustbucket upkeep run {task.name}`.",
        group_name="upkeep",
        owners=[OWNER],
        kinds=set(task.kinds),
        freshness_policy=freshness_of(job),
        code_version="1",
        skippable=True,
    )

    @dg.multi_asset(name=step_of(task), specs=[spec], pool=task.pool)
    def run(
        context: dg.AssetExecutionContext,
        config: HowToRun,
        settings: dg.ResourceParam[Settings],
        database: dg.ResourceParam[Engine],
        archive: dg.ResourceParam[Archive],
        clock: dg.ResourceParam[Clock],
    ) -> Events:
        seen = Seen(context.instance, database, settings)
        bench = Bench(settings, database, archive, seen, clock(), context.log.info, clock)
        with as_failure(context):
            told = task.dry_run(bench) if config.dry_run else task.run(bench)
        context.log.info(told.summary)
        if config.dry_run:
            yield dg.AssetObservation(task.name, metadata=metadata_of(told), tags={DRY_RUN: "true"})
            return
        yield dg.MaterializeResult(task.name, metadata=metadata_of(told))
        if not told.ok:
            raise dg.Failure(told.summary, allow_retries=False)

    return run


@dg.definitions
def upkeep() -> dg.Definitions:
    """An asset for each task of the list."""
    return dg.Definitions(assets=[_asset(task) for task in TASKS])
