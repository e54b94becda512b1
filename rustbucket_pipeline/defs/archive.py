"""The archive's assets: what the honeypots hold, and what of it is archived."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.archive.ledger import CODE_VERSION
from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, OWNER
from rustbucket_pipeline.control.lineage import materialized
from rustbucket_pipeline.defs.checks import hold_back, results, specs_of
from rustbucket_pipeline.defs.columns import schema_of
from rustbucket_pipeline.defs.failing import as_failure
from rustbucket_pipeline.defs.freshness import freshness_of
from rustbucket_pipeline.defs.partitions import partitions_of, windows_of
from rustbucket_pipeline.defs.reporting import facts_of, observed, provenance
from rustbucket_pipeline.defs.resources import S3, Clock
from rustbucket_pipeline.fleet.registry import pulled_rustbuckets
from rustbucket_pipeline.fleet.tokens import token_reader
from rustbucket_pipeline.model.window import HALF_HOUR, Window
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.asking import EXTRACT_LOGS
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import tables
from rustbucket_pipeline.storage.objects import Archive

if TYPE_CHECKING:
    from rustbucket_pipeline.archive.fleet_pull import FleetPull
    from rustbucket_pipeline.archive.pull import PullContext


@dg.definitions
def archive_assets() -> dg.Definitions:
    """`raw_bucket_logs` → `log_archives`, by half hours of event time."""
    half_hours = partitions_of(HALF_HOUR)
    raw_bucket_logs = dg.AssetSpec(
        "raw_bucket_logs",
        group_name="archive",
        owners=[OWNER],
        kinds={"s3", "http"},
        partitions_def=half_hours,
        description="The log files as the honeypots and their uploaders hold them. Not ours: every pull observes them.",
    )

    @dg.asset(
        deps=[raw_bucket_logs],
        partitions_def=half_hours,
        backfill_policy=dg.BackfillPolicy.single_run(),
        output_required=False,
        check_specs=specs_of("log_archives"),
        group_name="archive",
        owners=[OWNER],
        kinds={"s3", "zstd"},
        pool=ARCHIVE_LOGS.pool,
        freshness_policy=freshness_of(ARCHIVE_LOGS),
        code_version=CODE_VERSION,
        metadata={"dagster/column_schema": schema_of(tables.segments)},
    )
    def log_archives(
        context: dg.AssetExecutionContext,
        database: dg.ResourceParam[Engine],
        archive: dg.ResourceParam[Archive],
        settings: dg.ResourceParam[Settings],
        s3: dg.ResourceParam[S3],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckResult]:
        """Every log byte the fleet held for this half hour, unchanged, in content-addressed segments.

        Each run pulls all that is new, of whatever window: late data shows as a new materialization of its own window.
        """
        from rustbucket_pipeline.archive.fleet_pull import pull_fleet  # and with it numpy, here only
        from rustbucket_pipeline.archive.opening import openers
        from rustbucket_pipeline.archive.pull import PullContext

        with as_failure(context):
            now = clock()
            windows = windows_of(context, HALF_HOUR)
            pull = PullContext(database, archive, settings.first_window(now), now, context.run.run_id)
            tokens, paused = token_reader(database, settings), breaker.paused(database, EXTRACT_LOGS, now)
            fleet = openers(pulled_rustbuckets(database), settings, s3, tokens, paused)
            pulled = pull_fleet(pull, fleet, windows)
            closed = _closed(pulled, windows, pull)
            hold_back(database, "log_archives", closed, now)
            yield from _events(context, database, closed, pulled)
            yield from results(context, database, archive, now, closed)

    return dg.Definitions(assets=[raw_bucket_logs, log_archives])


def _closed(pulled: "FleetPull", requested: list[Window], pull: "PullContext") -> list[Window]:
    """The requested windows, and every other one that changed and is over: a partition of Dagster's."""
    changed = (Window(start, HALF_HOUR) for start in pulled.windows)
    known = {window for window in changed if pull.since <= window.start and window.end <= pull.now}
    return sorted(known.union(requested))


def _events(
    context: dg.AssetExecutionContext, database: Engine, windows: list[Window], pulled: "FleetPull"
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    from rustbucket_pipeline.archive.fleet_pull import contents_of

    with database.connect() as connection:
        contents = {window: contents_of(connection, window.start) for window in windows}
    for window, held in contents.items():
        yield observed("raw_bucket_logs", window, held.version)
        facts = facts_of(held, rows=held.records)
        facts["new_bytes_of_this_pull"] = pulled.new_bytes
        facts["failed_sources"] = dg.MetadataValue.json(pulled.failed)
        yield materialized("log_archives", window, held.version, facts, provenance(context, "log_archives", window))
