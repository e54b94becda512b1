"""The jobs of `control/jobs.py` as Dagster knows them; each runs its assets and their checks in one process."""

import dagster as dg

from rustbucket_pipeline.control.jobs import JOBS

ASSET_JOBS = {
    job.name: dg.define_asset_job(
        job.name,
        selection=dg.AssetSelection.assets(*job.assets),
        description=f"{job.does} Every {job.every}.",
        executor_def=dg.in_process_executor,
        tags={"rustbucket/lane": job.pool},
    )
    for job in JOBS
}
"""What schedules, heal sensor, demo and people run."""


@dg.definitions
def jobs() -> dg.Definitions:
    """One job per cadence."""
    return dg.Definitions(jobs=list(ASSET_JOBS.values()))
