"""Partitions: the windows of `model/window.py` as Dagster knows them. Keys are the windows' starts in UTC."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, KEY_FORMAT, Window, window_of_key
from rustbucket_pipeline.settings import load_settings

_CRONS = {HALF_HOUR: "*/30 * * * *", HOUR: "0 * * * *", FOUR_HOURS: "0 */4 * * *"}
_RANGE_TAGS = ("dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def partitions_of(length: timedelta) -> dg.TimeWindowPartitionsDefinition:
    """The windows of that length from the home's first window on; the newest is the newest that is over."""
    first = load_settings().first_window(datetime.now(UTC))
    return dg.TimeWindowPartitionsDefinition(start=first, fmt=KEY_FORMAT, cron_schedule=_CRONS[length], timezone="UTC")


def windows_of(context: dg.AssetExecutionContext, length: timedelta) -> list[Window]:
    """The windows this run is to build, oldest first.

    Raises:
        BadWindow: a key that isn't canonical; Dagster itself would silently round it up to the next window.
    """
    for tag in _RANGE_TAGS:
        if tag in context.run.tags:
            window_of_key(context.run.tags[tag], length)
    return [window_of_key(key, length) for key in context.partition_keys]
