"""Asset checks: the promises of DESIGN section 2 that hold so far, each looked at by its own room.

They are part of their asset's own step: its windows are reported as they are built, so there is no output at the end
for a check in a step of its own to wait for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.analysis.promises import findings_cite_rows
from rustbucket_pipeline.archive.promises import chains_unbroken, everybody_reporting, no_gaps, segments_match_store
from rustbucket_pipeline.events.promises import bytes_accounted, little_quarantined, messages_known, nothing_twice
from rustbucket_pipeline.fleet.promises import everybody_observed
from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.storage.objects import Archive

LOOK_BACK = timedelta(hours=48)
"""How far back a check looks each time: its cost doesn't grow with history."""

Look = Callable[[Connection, datetime, Archive], Promise]
"""Looks whether a promise holds now (UTC)."""


@dataclass(frozen=True, slots=True)
class Check:
    """An asset's promise, by the name and description people see, and how it is looked at."""

    asset: str
    name: str
    description: str
    look: Look


def _since(look: Callable[[Connection, datetime], Promise]) -> Look:
    """A look at what happened lately, as one at how things stand now."""
    return lambda connection, now, _: look(connection, now - LOOK_BACK)


CHECKS = (
    Check(
        "fleet_status",
        "every_active_rustbucket_observed",
        "Each active rustbucket has a status row of the last 48 hours, whatever it says.",
        _since(everybody_observed),
    ),
    Check(
        "log_archives",
        "segments_match_store",
        "The newest 500 segments' objects are in the store, with the size the ledger says; the newest 50 are read and "
        "hashed.",
        lambda connection, _, archive: segments_match_store(connection, archive),
    ),
    Check(
        "log_archives",
        "segments_follow_each_other",
        "Archived segments follow each other byte by byte, and their hash chain is unbroken.",
        _since(chains_unbroken),
    ),
    Check(
        "log_archives",
        "no_gaps_in_last_48h",
        "No hour of the last 48 is missing past its deadline, or expired at its source, of any rustbucket.",
        lambda connection, now, _: no_gaps(connection, now - LOOK_BACK, now),
    ),
    Check(
        "log_archives",
        "every_active_rustbucket_reporting",
        "The newest hour that must be known of each active rustbucket is: received, proved quiet or waived.",
        lambda connection, now, _: everybody_reporting(connection, now),
    ),
    Check(
        "parsed_logs",
        "every_byte_accounted",
        "Archived bytes = events + quarantine + duplicates, per rustbucket and hour.",
        _since(bytes_accounted),
    ),
    Check("parsed_logs", "nothing_counts_twice", "Every event stands once.", _since(nothing_twice)),
    Check(
        "parsed_logs",
        "quarantine_rate",
        "Of no rustbucket's hour is more than a hundredth no record.",
        _since(little_quarantined),
    ),
    Check(
        "parsed_logs",
        "no_unknown_templates",
        "Every message is of a known template; new ones are listed: the log's format changes there first.",
        _since(messages_known),
    ),
    Check(
        "log_analysis",
        "findings_cite_rows",
        "Every finding names rows, and they exist.",
        _since(findings_cite_rows),
    ),
)


def specs_of(asset: str) -> list[dg.AssetCheckSpec]:
    """The checks to declare with the asset."""
    return [
        dg.AssetCheckSpec(check.name, asset=asset, description=check.description)
        for check in CHECKS
        if check.asset == asset
    ]


def results(
    context: dg.AssetExecutionContext, database: Engine, archive: Archive, now: datetime
) -> Iterator[dg.AssetCheckResult]:
    """Look at every promise of the assets in this run; the last thing an asset's body does."""
    for check in CHECKS:
        if dg.AssetCheckKey(dg.AssetKey(check.asset), check.name) in context.selected_asset_check_keys:
            with database.connect() as connection:
                promise = check.look(connection, now, archive)
            yield dg.AssetCheckResult(
                passed=promise.kept,
                asset_key=check.asset,
                check_name=check.name,
                description=promise.why,
                metadata=dict(promise.numbers),
            )
