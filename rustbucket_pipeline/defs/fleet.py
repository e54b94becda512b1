"""The fleet's assets: who is registered, and how each is."""

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import OWNER, POLL_FLEET
from rustbucket_pipeline.defs.checks import results, specs_of
from rustbucket_pipeline.defs.columns import schema_of
from rustbucket_pipeline.defs.failing import as_failure
from rustbucket_pipeline.defs.freshness import freshness_of
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.fleet.status import observe_fleet
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import tables
from rustbucket_pipeline.storage.objects import Archive

rustbuckets = dg.AssetSpec(
    "rustbuckets",
    group_name="fleet",
    owners=[OWNER],
    kinds={"postgres"},
    description="The registry: every honeypot an operator added (`rustbucket fleet`), approved or retired. "
    "No honeypot's answer ever changes it.",
    metadata={"dagster/column_schema": schema_of(tables.rustbuckets)},
)


@dg.asset(
    deps=[rustbuckets],
    group_name="fleet",
    owners=[OWNER],
    kinds={"http", "postgres"},
    pool=POLL_FLEET.pool,
    freshness_policy=freshness_of(POLL_FLEET),
    code_version="1",
    check_specs=specs_of("fleet_status"),
    metadata={"dagster/column_schema": schema_of(tables.rustbucket_status)},
)
def fleet_status(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Engine],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """How every rustbucket is: polled where HTTP is allowed, told by arriving logs elsewhere. One row each, always.

    It has no partitions: the past can't be asked again.
    """
    with as_failure(context):
        outcome = observe_fleet(database, settings, clock())
        checked = list(results(context, database, archive, clock()))
    return dg.MaterializeResult(
        check_results=checked,
        metadata={"dagster/row_count": outcome.rows, **{f"outcome_{name}": n for name, n in outcome.counts.items()}},
    )
