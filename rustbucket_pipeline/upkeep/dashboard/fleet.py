"""The fleet, for the dashboard: what arrived of every hour, and how every rustbucket is. Bounded for any fleet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from rustbucket_pipeline.model.window import HOUR, window_at
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.upkeep.dashboard.facts import FleetFacts, HourFacts, RustbucketFact

PACKAGE = "rustbucket_pipeline.upkeep.dashboard"

HOURS_SHOWN = 72
BINS, BIN = 42, timedelta(hours=4)
MOST_RUSTBUCKETS = 2_000
"""More aren't listed; they are counted."""

GAPS = "ME"
ALIVE = frozenset({"ok", "arrival"})
NO_HOUR = " "


def fleet_now(connection: Connection, now: datetime) -> FleetFacts:
    """Every rustbucket that isn't retired, and the hours of the last three days.

    The connection's `rustbucket.now` is set.
    """
    hours = _hours(connection, now)
    until = window_at(now, HOUR).end
    span = {"since": until - BINS * BIN, "until": until, "bin_seconds": int(BIN.total_seconds())}
    rows = connection.execute(load_sql(PACKAGE, "fleet"), {**span, "most": MOST_RUSTBUCKETS})
    found = [
        RustbucketFact(
            id=row.id,
            name=row.name,
            status=row.status,
            outcome=row.outcome,
            observed_at=row.observed_at,
            watermark=row.watermark,
            bins=_spread(row.bins or (), row.events or ()),
            missing=sum(hours.states.get(row.id, "").count(letter) for letter in GAPS),
        )
        for row in rows
    ]
    total = connection.execute(load_sql(PACKAGE, "fleet_size")).scalar_one()
    return FleetFacts(tuple(sorted(found, key=_urgency)), total, hours)


def _hours(connection: Connection, now: datetime) -> HourFacts:
    connection.execute(select(func.set_config("rustbucket.now", now.isoformat(), True)))
    until = window_at(now, HOUR).end
    since = until - HOURS_SHOWN * HOUR
    rows = connection.execute(load_sql(PACKAGE, "hours"), {"since": since, "until": until})
    states = {row.rustbucket_id: NO_HOUR * ((row.first_hour - since) // HOUR) + row.states for row in rows}
    return HourFacts(since, HOURS_SHOWN, {one: found.ljust(HOURS_SHOWN) for one, found in states.items()})


def _urgency(one: RustbucketFact) -> tuple[bool, bool, int, int, str]:
    """Those that need somebody come first: approved or not, alive or not, with the most missing; then the busiest."""
    return (one.status == "active", one.outcome in ALIVE, -one.missing, -one.events, one.id)


def _spread(bins: Sequence[int], events: Sequence[int]) -> tuple[int, ...]:
    counts = [0] * BINS
    for place, count in zip(bins, events, strict=True):
        counts[place] = count
    return tuple(counts)
