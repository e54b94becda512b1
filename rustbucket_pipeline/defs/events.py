"""The events' asset: archived bytes as typed rows."""

from collections.abc import Iterator
from itertools import groupby

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import OWNER, PARSE_LOGS
from rustbucket_pipeline.control.lineage import materialized
from rustbucket_pipeline.defs.checks import hold_back, results, specs_of
from rustbucket_pipeline.defs.columns import schema_of
from rustbucket_pipeline.defs.failing import as_failure, each_window
from rustbucket_pipeline.defs.freshness import freshness_of
from rustbucket_pipeline.defs.partitions import partitions_of, windows_of
from rustbucket_pipeline.defs.reporting import facts_of, provenance
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.events.own import collectors_of
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import tables
from rustbucket_pipeline.storage.objects import Archive


@dg.definitions
def event_assets() -> dg.Definitions:
    """`parsed_logs`, by hours of event time."""

    @dg.asset(
        deps=["log_archives"],
        partitions_def=partitions_of(HOUR),
        backfill_policy=dg.BackfillPolicy.single_run(),
        output_required=False,
        check_specs=specs_of("parsed_logs"),
        group_name="events",
        owners=[OWNER],
        kinds={"postgres", "python"},
        pool=PARSE_LOGS.pool,
        freshness_policy=freshness_of(PARSE_LOGS),
        code_version=str(PARSER_VERSION),
        metadata={"dagster/column_schema": schema_of(tables.log_events), "dagster/table_name": "log_events"},
    )
    def parsed_logs(
        context: dg.AssetExecutionContext,
        database: dg.ResourceParam[Engine],
        archive: dg.ResourceParam[Archive],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckResult]:
        """What the hour's archived bytes say: typed rows in `log_events`; what can't be parsed, in `quarantine`.

        A run replaces the hour in one transaction; of a day that has no rows yet, those of all hours it builds are
        loaded before. The same record in two files is one event.
        """
        from rustbucket_pipeline.events.build import build_hour  # and with it numpy and pyarrow, here only
        from rustbucket_pipeline.events.new_day import load_new_day

        def build(window: Window) -> Iterator[dg.AssetMaterialization]:
            sources, collectors = provenance(context, "parsed_logs", window), collectors_of(settings)
            hours = days.pop(window.start.date(), None)
            if hours and (shares := load_new_day(database, archive, hours, clock(), collectors)):
                context.log.info("a new day: %d hours, %d shares of rustbuckets, loaded together", len(hours), shares)
            hour = build_hour(database, archive, window, clock(), context.run.run_id, collectors)
            hold_back(database, "parsed_logs", [window], clock())
            yield materialized("parsed_logs", window, hour.version, facts_of(hour, rows=hour.events), sources)

        with as_failure(context):
            windows = windows_of(context, HOUR)
            days = {day: list(hours) for day, hours in groupby(windows, lambda window: window.start.date())}
            yield from each_window(context, windows, build)
            yield from results(context, database, archive, clock(), windows)

    return dg.Definitions(assets=[parsed_logs])
