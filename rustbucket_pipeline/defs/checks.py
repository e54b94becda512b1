"""Asset checks: the promises of DESIGN section 2 that hold so far, each looked at by its own room.

They are part of their asset's own step: its windows are reported as they are built, so there is no output at the end
for a check in a step of its own to wait for. Most look at the last 48 hours; a blocking one looks at each window right
after it is built, and what depends on a window that is wrong isn't built until it passes (`control/plan.py`).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import dagster as dg
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.analysis.promises import claude_explained, findings_cite_rows
from rustbucket_pipeline.archive.promises import (
    chains_unbroken,
    everybody_reporting,
    no_gaps,
    segments_match_store,
    unchained_windows,
)
from rustbucket_pipeline.control.jobs import CHAIN
from rustbucket_pipeline.control.promises import newest_windows_built
from rustbucket_pipeline.control.states import note_wrong
from rustbucket_pipeline.events.promises import (
    bytes_accounted,
    little_quarantined,
    messages_known,
    nothing_twice,
    unaccounted_hours,
)
from rustbucket_pipeline.fleet.promises import everybody_observed
from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.objects import Archive

LOOK_BACK = timedelta(hours=48)
"""How far back a check looks each time: its cost doesn't grow with history."""

Look = Callable[[Connection, datetime, Archive], Promise]
"""Looks whether a promise holds now (UTC)."""


WindowsLook = Callable[[Connection, Collection[Window]], set[datetime]]
"""Looks which of these windows, by their start, are wrong."""

NEWEST_BUILT = "newest_windows_built"


@dataclass(frozen=True, slots=True)
class Check:
    """An asset's promise, by the name and description people see, and how it is looked at.

    `grave`: broken, it is an error; else a warning.
    """

    asset: str
    name: str
    description: str
    look: Look
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Block:
    """A blocking check of an asset's windows: nothing is made of those that are wrong."""

    asset: str
    name: str
    description: str
    look: WindowsLook


def _newest_built(asset: str) -> Look:
    return lambda connection, now, _: newest_windows_built(connection, asset, now)


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
    Check(
        "log_analysis",
        "claude_explained",
        "What Claude was asked about, it explained, with nothing taken out. Reports are complete without it.",
        _since(claude_explained),
        grave=False,
    ),
    *(
        Check(
            asset,
            NEWEST_BUILT,
            "The newest window that is built isn't too old, and none of the last two days is overdue: a backfill of "
            "old windows doesn't make the asset fresh.",
            _newest_built(asset),
        )
        for job in CHAIN
        for asset in job.assets
    ),
)

_MILD = frozenset(check.name for check in CHECKS if not check.grave)

BLOCKS = (
    Block(
        "log_archives",
        "windows_chained",
        "Every segment of the windows that were just archived follows the one before, byte by byte and by its hash. "
        "Blocking: no rows are made of a window that fails.",
        unchained_windows,
    ),
    Block(
        "parsed_logs",
        "hours_accounted",
        "Archived bytes = events + quarantine + duplicates in each of the hours that were just built, and the rows say "
        "the same. Blocking: no digest is made of an hour that fails.",
        unaccounted_hours,
    ),
)


def specs_of(*assets: str) -> list[dg.AssetCheckSpec]:
    """The checks to declare with the assets."""
    looks = [check for check in CHECKS if check.asset in assets]
    blocks = [block for block in BLOCKS if block.asset in assets]
    return [
        *(dg.AssetCheckSpec(check.name, asset=check.asset, description=check.description) for check in looks),
        *(dg.AssetCheckSpec(b.name, asset=b.asset, description=b.description, blocking=True) for b in blocks),
    ]


def hold_back(database: Engine, asset: str, windows: Sequence[Window], now: datetime) -> None:
    """Look at windows that were just built; what depends on those that are wrong waits until they pass."""
    for block in BLOCKS:
        if block.asset == asset:
            with database.begin() as connection:
                note_wrong(connection, asset, block.name, windows, block.look(connection, windows), now)


def results(
    context: dg.AssetExecutionContext,
    database: Engine,
    archive: Archive,
    now: datetime,
    windows: Collection[Window] = (),
) -> Iterator[dg.AssetCheckResult]:
    """Look at every promise of the assets in this run, and at the windows it built; the last thing a body does."""
    looks: dict[tuple[str, str], Callable[[Connection], Promise]] = {
        **{(check.asset, check.name): partial(_look, check, now, archive) for check in CHECKS},
        **{(block.asset, block.name): partial(_windows_right, block, windows) for block in BLOCKS},
    }
    for (asset, name), look in looks.items():
        if dg.AssetCheckKey(dg.AssetKey(asset), name) in context.selected_asset_check_keys:
            with database.connect() as connection:
                promise = look(connection)
            yield dg.AssetCheckResult(
                passed=promise.kept,
                asset_key=asset,
                check_name=name,
                severity=dg.AssetCheckSeverity.WARN if name in _MILD else dg.AssetCheckSeverity.ERROR,
                description=promise.why,
                metadata=dict(promise.numbers),
            )


def evaluation(asset: str, name: str, promise: Promise) -> dg.AssetCheckEvaluation:
    """How a promise stands, said outside of a run."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name=name,
        passed=promise.kept,
        description=promise.why,
        metadata=dict(promise.numbers),
    )


def _look(check: Check, now: datetime, archive: Archive, connection: Connection) -> Promise:
    return check.look(connection, now, archive)


def _windows_right(block: Block, windows: Collection[Window], connection: Connection) -> Promise:
    wrong = block.look(connection, windows)
    numbers = {"windows": len(windows), "wrong": len(wrong)}
    if wrong:
        named = ", ".join(f"{start:%Y-%m-%d %H:%M}" for start in sorted(wrong)[:10])
        return Promise(kept=False, why=f"{len(wrong)} windows are wrong: {named} (UTC)", numbers=numbers)
    return Promise(kept=True, why=f"{len(windows)} windows are as they should be", numbers=numbers)
