"""Backfills as Dagster knows them: asked for here, done by the daemon, shown in the UI.

One of an archive or of rows is one run over the whole range; digests and reports are built run by run.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill  # Dagster exports neither

from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.control.ran import BY_HAND, WHO
from rustbucket_pipeline.control.runs import ASKED_BY
from rustbucket_pipeline.model.window import Window


def request_backfill(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    job: Job,
    windows: Sequence[Window],
    who: str,
    now: datetime,
) -> str:
    """Ask the daemon to build these windows of the job's assets, whatever is built; the backfill's id."""
    backfill = PartitionBackfill.from_asset_partitions(  # pyright: ignore[reportUnknownMemberType]
        backfill_id=uuid4().hex[:8],
        asset_graph=definitions.get_repository_def().asset_graph,
        partition_names=[window.key for window in windows],
        asset_selection=[dg.AssetKey(asset) for asset in job.assets],
        backfill_timestamp=now.timestamp(),
        tags={ASKED_BY: BY_HAND, WHO: who},
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=f"{job.name}, {windows[0].key} to {windows[-1].key}",
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    return backfill.backfill_id


def cancel_backfill(instance: dg.DagsterInstance, backfill_id: str) -> bool | None:
    """Have the daemon end the backfill and its runs; False: it had ended already, None: there is none of that id."""
    backfill = instance.get_backfill(backfill_id)
    if backfill is None:
        return None
    if backfill.status is not BulkActionStatus.REQUESTED:
        return False
    instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELING))  # pyright: ignore[reportUnknownMemberType]
    return True
