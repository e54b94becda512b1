"""Asset checks: the promises of DESIGN section 2 that hold so far, each looked at by its own room."""

from collections.abc import Callable
from datetime import datetime, timedelta

import dagster as dg
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.analysis.promises import findings_cite_rows
from rustbucket_pipeline.archive.promises import chains_unbroken, objects_present
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.events.promises import bytes_accounted, nothing_twice
from rustbucket_pipeline.fleet.promises import everybody_observed
from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.storage.objects import Archive

LOOK_BACK = timedelta(hours=48)
"""How far back a check looks each time: its cost doesn't grow with history."""


def _result(promise: Promise) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=promise.kept, description=promise.why, metadata=dict(promise.numbers))


def _check(
    asset: str, name: str, description: str, look: Callable[[Connection, datetime], Promise]
) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=asset, name=name, description=description)
    def check(database: dg.ResourceParam[Engine], clock: dg.ResourceParam[Clock]) -> dg.AssetCheckResult:
        with database.connect() as connection:
            return _result(look(connection, clock() - LOOK_BACK))

    return check


@dg.asset_check(
    asset="log_archives",
    description="The newest segments' objects are in the store, with the size the ledger says.",
)
def segments_have_objects(
    database: dg.ResourceParam[Engine], archive: dg.ResourceParam[Archive]
) -> dg.AssetCheckResult:
    """No row without its object."""
    with database.connect() as connection:
        return _result(objects_present(connection, archive))


@dg.definitions
def checks() -> dg.Definitions:
    """Every check, beside the asset it is about."""
    return dg.Definitions(
        asset_checks=[
            segments_have_objects,
            _check(
                "fleet_status",
                "every_active_rustbucket_observed",
                "Each active rustbucket has a status row of the last 48 hours, whatever it says.",
                everybody_observed,
            ),
            _check(
                "log_archives",
                "segments_follow_each_other",
                "Archived segments follow each other byte by byte, and their hash chain is unbroken.",
                chains_unbroken,
            ),
            _check(
                "parsed_logs",
                "every_byte_accounted",
                "Archived bytes = events + quarantine + duplicates, per rustbucket and hour.",
                bytes_accounted,
            ),
            _check("parsed_logs", "nothing_counts_twice", "Every event stands once.", nothing_twice),
            _check(
                "log_analysis",
                "findings_cite_rows",
                "Every finding names rows, and they exist.",
                findings_cite_rows,
            ),
        ]
    )
