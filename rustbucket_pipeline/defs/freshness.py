"""How old an asset's newest materialization may become: its job's limit, as Dagster shows it.

Any window's materialization counts there, an old one's too; the check `newest_windows_built` looks at the newest.
"""

from dagster import FreshnessPolicy

from rustbucket_pipeline.control.jobs import Job


def freshness_of(job: Job) -> FreshnessPolicy:
    """Stale after the job's limit; a warning at three quarters of it."""
    return FreshnessPolicy.time_window(fail_window=job.late_after, warn_window=job.late_after * 3 / 4)
