"""From what is due to run requests: the one way in which schedules and the heal sensor ask for runs."""

from collections.abc import Iterator

import dagster as dg

from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.control.plan import Due, ranges
from rustbucket_pipeline.control.runs import range_tags
from rustbucket_pipeline.defs.jobs import ASSET_JOBS
from rustbucket_pipeline.storage.builds import version_of


def requests_for(job: Job, dues: list[Due], reason: str) -> Iterator[dg.RunRequest]:
    """One run per range of adjacent windows. The run key holds the inputs' versions: new data is a new request."""
    for group in ranges(dues):
        first, last = group[0].window, group[-1].window
        version = version_of(item.version for item in group)[:16]
        yield dg.RunRequest(
            run_key=f"{reason}:{job.name}:{first.key}:{last.key}:{version}",
            job_name=ASSET_JOBS[job.name].name,
            partition_key=first.key if first == last else None,
            tags={**(range_tags(first, last) if first != last else {}), "rustbucket/why": f"{reason}: {group[0].why}"},
        )
