"""Asset checks: the promises of DESIGN section 2 that hold so far, each looked at by its own room."""

from collections.abc import Callable
from datetime import datetime, timedelta

import dagster as dg
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.analysis.promises import findings_cite_rows
from rustbucket_pipeline.archive.promises import chains_unbroken, everybody_reporting, no_gaps, segments_match_store
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
            return _result(look(connection, clock()))

    return check


def _since(look: Callable[[Connection, datetime], Promise]) -> Callable[[Connection, datetime], Promise]:
    """A look at what happened lately, as one at how things stand now."""
    return lambda connection, now: look(connection, now - LOOK_BACK)


@dg.asset_check(
    asset="log_archives",
    name="segments_match_store",
    description="The newest 500 segments' objects are in the store, with the size the ledger says; the newest 50 are "
    "read and hashed.",
)
def match_store(database: dg.ResourceParam[Engine], archive: dg.ResourceParam[Archive]) -> dg.AssetCheckResult:
    """No row without its object."""
    with database.connect() as connection:
        return _result(segments_match_store(connection, archive))


@dg.definitions
def checks() -> dg.Definitions:
    """Every check, beside the asset it is about."""
    return dg.Definitions(
        asset_checks=[
            match_store,
            _check(
                "log_archives",
                "no_gaps_in_last_48h",
                "No hour of the last 48 is missing past its deadline, or expired at its source, of any rustbucket.",
                lambda connection, now: no_gaps(connection, now - LOOK_BACK, now),
            ),
            _check(
                "log_archives",
                "every_active_rustbucket_reporting",
                "The newest hour that must be known of each active rustbucket is: received, proved quiet or waived.",
                everybody_reporting,
            ),
            _check(
                "fleet_status",
                "every_active_rustbucket_observed",
                "Each active rustbucket has a status row of the last 48 hours, whatever it says.",
                _since(everybody_observed),
            ),
            _check(
                "log_archives",
                "segments_follow_each_other",
                "Archived segments follow each other byte by byte, and their hash chain is unbroken.",
                _since(chains_unbroken),
            ),
            _check(
                "parsed_logs",
                "every_byte_accounted",
                "Archived bytes = events + quarantine + duplicates, per rustbucket and hour.",
                _since(bytes_accounted),
            ),
            _check("parsed_logs", "nothing_counts_twice", "Every event stands once.", _since(nothing_twice)),
            _check(
                "log_analysis",
                "findings_cite_rows",
                "Every finding names rows, and they exist.",
                _since(findings_cite_rows),
            ),
        ]
    )
