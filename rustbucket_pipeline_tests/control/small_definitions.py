"""A small chain of assets of whose history every kind of status can be made: a run's tags say what it does."""

from datetime import timedelta

import dagster as dg

PARTITIONS = dg.StaticPartitionsDefinition(["fresh", "stale", "idle", "back", "failed", "broken", "missing"])
POLICY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=1))


def outcome(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    if "fail" in context.run.tags:
        raise dg.Failure("asked to fail", allow_retries=False)
    version = context.run.tags.get("version", "v1")
    print("building", version)  # noqa: T201 (what a run prints is history, too)
    return dg.MaterializeResult(data_version=dg.DataVersion(version), metadata={"rows": 7})


@dg.asset(partitions_def=PARTITIONS, code_version="1")
def up(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    return outcome(context)


@dg.asset(partitions_def=PARTITIONS, deps=[up], code_version="1")
def down(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    return outcome(context)


@dg.asset(freshness_policy=POLICY, check_specs=[dg.AssetCheckSpec("inline", asset="single")])
def single(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    made = outcome(context)
    passed = dg.AssetCheckResult(check_name="inline", passed="bad" not in context.run.tags)
    return dg.MaterializeResult(data_version=made.data_version, metadata=made.metadata, check_results=[passed])


@dg.asset_check(asset=single)
def beside(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    if "fail" in context.run.tags:
        raise dg.Failure("asked to fail", allow_retries=False)
    return dg.AssetCheckResult(passed=True)


JOBS = [
    dg.define_asset_job(f"build_{name}", dg.AssetSelection.assets(name), executor_def=dg.in_process_executor)
    for name in ("up", "down", "single")
]

defs = dg.Definitions(
    assets=[up, down, single, dg.AssetSpec("outside", partitions_def=PARTITIONS)], asset_checks=[beside], jobs=JOBS
)
