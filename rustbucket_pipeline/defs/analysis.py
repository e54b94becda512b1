"""The analysis' assets: a window's digest, and the report on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import dagster as dg
from pydantic import Field
from sqlalchemy import Engine, Table

from rustbucket_pipeline.analysis.ahead import Ahead, ask_ahead, may_batch
from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.analysis.version import DIGEST_VERSION, REPORT_VERSION
from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, OWNER
from rustbucket_pipeline.control.lineage import materialized
from rustbucket_pipeline.defs.checks import results, specs_of
from rustbucket_pipeline.defs.columns import schema_of
from rustbucket_pipeline.defs.failing import as_failure, each_window
from rustbucket_pipeline.defs.freshness import freshness_of
from rustbucket_pipeline.defs.partitions import partitions_of, windows_of
from rustbucket_pipeline.defs.reporting import facts_of, provenance
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import analysis_tables as tables
from rustbucket_pipeline.storage.objects import Archive


def _spec(name: str, upstream: str, version: str, kinds: set[str], table: Table, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        deps=[upstream],
        skippable=True,
        group_name="analysis",
        owners=[OWNER],
        kinds=kinds,
        code_version=version,
        freshness_policy=freshness_of(ANALYSE_WINDOWS),
        description=description,
        metadata={"dagster/column_schema": schema_of(table)},
    )


_DIGEST = (
    "Four hours of rows in one bounded page: totals, top sources, credentials, commands and paths, and what is new "
    "against the seven days before. Deterministic and hashed."
)
_REPORT = (
    "The report on four hours: findings by rule, with their rows; where a key is set, explained by Claude and "
    "verified. Complete without it."
)


class Effort(StrEnum):
    """How hard Claude thinks; Dagster takes these by their names."""

    low = "low"
    medium = "medium"
    high = "high"


class Asking(dg.Config):
    """How Claude is asked in this run, where not as the settings say: `jobs run --arg`, or the UI's launchpad."""

    claude_models: str | None = Field(None, description="Models for this run, separated by commas.")
    claude_effort: Effort | None = Field(None, description="Effort for this run.")

    def applied(self, settings: Settings) -> Settings:
        """The settings with these words in their place."""
        said = {name: value for name, value in self.model_dump(mode="json").items() if value is not None}
        if "claude_models" in said:
            said["claude_models"] = tuple(part.strip() for part in said["claude_models"].split(",") if part.strip())
        return settings.model_copy(update=said)


@dataclass(frozen=True)
class _Steps:
    """What a run does with each of its windows: digest it, report it, or both, as it was asked."""

    context: dg.AssetExecutionContext
    database: Engine
    settings: Settings
    clock: Clock
    windows: tuple[Window, ...]

    @property
    def passes(self) -> tuple[Callable[[Window], Iterator[dg.AssetMaterialization]], ...]:
        """Window by window; where Claude may be asked in batches, all digests before the first report."""
        batched = self._is_asked_for("log_analysis") and may_batch(self.settings, len(self.windows))
        return (self.digest, self.report_asked_ahead) if batched else (self.digest_and_report,)

    def digest(self, window: Window) -> Iterator[dg.AssetMaterialization]:
        if self._is_asked_for("window_digest"):
            sources = provenance(self.context, "window_digest", window)
            digest = build_digest(self.database, window, self.clock(), self.context.run.run_id)
            yield materialized("window_digest", window, digest.sha256, facts_of(digest, rows=1), sources)

    def report(self, window: Window) -> Iterator[dg.AssetMaterialization]:
        if self._is_asked_for("log_analysis"):
            sources = provenance(self.context, "log_analysis", window)
            report = build_analysis(self.database, self.settings, window, self.clock(), self.context.run.run_id)
            yield materialized("log_analysis", window, report.output_version, facts_of(report, rows=1), sources)

    def digest_and_report(self, window: Window) -> Iterator[dg.AssetMaterialization]:
        yield from self.digest(window)
        yield from self.report(window)

    def report_asked_ahead(self, window: Window) -> Iterator[dg.AssetMaterialization]:
        ahead = self._asked_ahead
        self.context.log.debug("%s of %s windows were answered in batches", ahead.answered, ahead.wanted)
        yield from self.report(window)

    @cached_property
    def _asked_ahead(self) -> Ahead:
        return ask_ahead(self.database, self.settings, self.windows, self.clock())

    def _is_asked_for(self, asset: str) -> bool:
        return dg.AssetKey(asset) in self.context.selected_asset_keys


@dg.definitions
def analysis_assets() -> dg.Definitions:
    """`window_digest` → `log_analysis`, by four hours of event time; one step builds both, window by window."""

    @dg.multi_asset(
        name="window_digest__log_analysis",  # each asset by its name: logs tell by it whose step it is
        specs=[
            _spec("window_digest", "parsed_logs", DIGEST_VERSION, {"postgres"}, tables.window_digests, _DIGEST),
            _spec(
                "log_analysis", "window_digest", REPORT_VERSION, {"claude", "postgres"}, tables.log_analyses, _REPORT
            ),
        ],
        partitions_def=partitions_of(FOUR_HOURS),
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=specs_of("window_digest", "log_analysis"),
        can_subset=True,
        pool=ANALYSE_WINDOWS.pool,
    )
    def analyse_window(
        context: dg.AssetExecutionContext,
        config: Asking,
        database: dg.ResourceParam[Engine],
        archive: dg.ResourceParam[Archive],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckResult]:
        windows = tuple(windows_of(context, FOUR_HOURS))
        steps = _Steps(context, database, config.applied(settings), clock, windows)
        with as_failure(context):
            yield from each_window(context, windows, *steps.passes)
            yield from results(context, database, archive, clock())

    return dg.Definitions(assets=[analyse_window])
