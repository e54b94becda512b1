"""From what is due to run requests: the one way in which schedules and the heal sensor ask for runs."""

from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from rustbucket_pipeline.control.plan import Planned, Taker
from rustbucket_pipeline.control.runs import ASKED_BY, range_tags
from rustbucket_pipeline.defs.jobs import ASSET_JOBS
from rustbucket_pipeline.model.version import version_of

HEAL_PRIORITY = "-1"
"""What is healed waits for what a schedule asks."""


def request_for(stretch: Sequence[Planned], now: datetime) -> dg.RunRequest:
    """One run of adjacent windows of a job.

    Its key is new each time: Dagster never runs a key again, not even after a failure. That nothing is asked for twice
    is the planner's part (`control.outlook.claimed`).
    """
    first, last = stretch[0], stretch[-1]
    one = first.window == last.window
    version = version_of(item.version for item in stretch)[:16]
    tags = {ASKED_BY: first.taker.value, "rustbucket/why": first.why}
    if first.taker is Taker.HEAL:
        tags["dagster/priority"] = HEAL_PRIORITY
    return dg.RunRequest(
        run_key=f"{first.job.name}:{first.window.key}:{last.window.key}:{version}:{now.isoformat()}",
        job_name=ASSET_JOBS[first.job.name].name,
        partition_key=first.window.key if one else None,
        tags=tags if one else {**tags, **range_tags(first.window, last.window)},
    )
