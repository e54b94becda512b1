"""Dagster's own history as an asset: once a day what is older than `RUSTBUCKET_HISTORY_KEEP_DAYS` goes."""

import dagster as dg
from pydantic import Field

from rustbucket_pipeline.control.history import open_history
from rustbucket_pipeline.control.jobs import OWNER, PRUNE_HISTORY
from rustbucket_pipeline.control.pruning import prune
from rustbucket_pipeline.defs.failing import as_failure
from rustbucket_pipeline.defs.freshness import freshness_of
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.settings import Settings


class Pruning(dg.Config):
    """How to prune, this time."""

    dry_run: bool = Field(default=False, description="Count what would go, and delete nothing.")


@dg.asset(
    group_name="upkeep",
    owners=[OWNER],
    kinds={"postgres"},
    pool=PRUNE_HISTORY.pool,
    freshness_policy=freshness_of(PRUNE_HISTORY),
    code_version="1",
)
def dagster_history(
    context: dg.AssetExecutionContext,
    config: Pruning,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Dagster's runs, events and check results, without those of half a year ago (`RUSTBUCKET_HISTORY_KEEP_DAYS`).

    The newest materialization of each partition and the newest result of each check stay, without their run, at the
    same id, time and data version: statuses and staleness are what they were. So do runs that say what nothing newer
    says, like the failure of a window that was never built.
    """

    def forget_output(run_id: str) -> None:
        context.instance.compute_log_manager.delete_logs(prefix=[run_id])

    with as_failure(context):
        history = open_history(settings)
        pruned = prune(history, clock() - settings.history_keep, forget_output, dry_run=config.dry_run)
    return dg.MaterializeResult(
        metadata={
            "runs": pruned.runs,
            "events": pruned.events,
            "events_kept": pruned.kept,
            "check_results": pruned.checks,
            "backfills": pruned.backfills,
            "more_to_come": pruned.more,
            "dry_run": config.dry_run,
        },
    )
