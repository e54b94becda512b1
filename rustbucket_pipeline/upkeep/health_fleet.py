"""Health of the rustbuckets: polls and arrivals together, and of each that isn't well the cause.

Most of it has an alert of its own, opened where it is seen (`fleet/alarms.py`, `archive/fleet_pull.py`); here is what
only both together tell: one that answers while its logs stopped coming.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.fleet.alarms import ENDED_BY, KIND_OF, NEVER_CAME_AFTER
from rustbucket_pipeline.fleet.arrivals import Arrivals, arrivals_of_active
from rustbucket_pipeline.fleet.registry import everyone
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

UPLOADS_AGAIN = timedelta(hours=26)
"""A rustbucket whose upload failed tries again after a day: until then its silence may have that cause."""

OBSERVED = timedelta(minutes=45)
"""How old the newest observation may be: two turns of `fleet_status` missed."""

REVIEWED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Observed:
    outcome: str
    detail: str | None
    at: datetime


def look_at_rustbuckets(bench: Bench) -> Iterator[Finding]:
    """One finding for each rustbucket that isn't well, and one for all that are."""
    with bench.engine.connect() as connection:
        fleet = everyone(connection)
        arrived = {one.rustbucket_id: one for one in arrivals_of_active(connection, bench.now)}
        observed = _observed(connection)
    found = [_of(one, arrived.get(one.id), observed.get(one.id), bench.now) for one in fleet]
    wrong = [finding for finding in found if finding is not None]
    active = sum(one.status is Status.ACTIVE for one in fleet)
    ill = sum(one.status is Status.ACTIVE and finding is not None for one, finding in zip(fleet, found, strict=True))
    if active == 0:
        yield Finding("rustbuckets", "fleet", Health.OK, "no rustbucket is active", "`rustbucket fleet add` adds one")
    elif active > ill:
        figures = {"rustbuckets_active": active, "rustbuckets_well": active - ill}
        yield Finding("rustbuckets", "fleet", Health.OK, f"{active - ill} of {active} are well", figures=figures)
    yield from wrong


def _of(one: Rustbucket, arrived: Arrivals | None, seen: _Observed | None, now: datetime) -> Finding | None:
    """What is wrong with it; None if it is well, or retired."""
    if one.status is Status.REVIEW:
        return _unapproved(one, now)
    if one.status is not Status.ACTIVE or arrived is None:
        return None
    if seen is None or now - seen.at > OBSERVED:
        since = f"since {seen.at:%Y-%m-%d %H:%M} UTC" if seen else "ever"
        why = f"not observed {since}: nothing is known"
        return Finding("rustbuckets", one.id, Health.UNKNOWN, why, "`rustbucket jobs run poll_fleet` observes it")
    return _of_active(one, arrived, seen, now)


def _unapproved(one: Rustbucket, now: datetime) -> Finding | None:
    waits = now - one.registered_at
    why = f"never approved, {waits.days} days after it was added"
    do = f"`rustbucket fleet approve {one.id}`, or `rustbucket fleet retire {one.id}`"
    return Finding("rustbuckets", one.id, Health.WARNING, why, do) if waits > REVIEWED else None


def _of_active(one: Rustbucket, arrived: Arrivals, seen: _Observed, now: datetime) -> Finding | None:
    """What poll and arrivals say together."""
    outcome = Outcome(seen.outcome)
    overdue = arrived.overdue(now)
    if outcome is Outcome.OK and one.logs_url and overdue:
        why = f"it answers, but {_stopped(arrived)}"
        do = "look at its uploader, and at its rights on the bucket"
        return Finding("rustbuckets", one.id, Health.WARNING, why, do, Kind.UPLOADS_STOPPED)
    if outcome is Outcome.UNKNOWN:
        return _never_came(one, now)
    if outcome is Outcome.SILENT:
        return Finding("rustbuckets", one.id, Health.WARNING, _silence(arrived, now), _SILENT)
    if outcome is Outcome.UNSEEN:
        why = f"its logs were due by {_minute(arrived.due)}, and no pull looked for them since"
        return Finding("rustbuckets", one.id, Health.UNKNOWN, why, "`rustbucket jobs show archive_logs`")
    if outcome in KIND_OF or outcome not in ENDED_BY:
        logs = f"its logs come (until {_minute(arrived.watermark)})" if not overdue else _stopped(arrived)
        return Finding("rustbuckets", one.id, Health.WARNING, f"poll: {outcome}: {seen.detail}; {logs}", _POLLED)
    return None


_SILENT = "look whether it runs, and at its uploader"
_POLLED = "`rustbucket fleet show` has its last answers; `rustbucket fleet approve --http` asks anew"


def _never_came(one: Rustbucket, now: datetime) -> Finding | None:
    """Nothing ever came of it: fine for two days, then it was never set up, or knows another bucket."""
    if one.approved_at is None or now - one.approved_at <= NEVER_CAME_AFTER:
        return None
    why = f"nothing ever came since it was approved ({_minute(one.approved_at)}): it doesn't know {one.logs_url}"
    return Finding("rustbuckets", one.id, Health.WARNING, why, "set up its uploader, or correct its place of logs")


def _silence(arrived: Arrivals, now: datetime) -> str:
    """Why that may be: an upload that failed and is tried again after a day, or longer than that explains."""
    again = arrived.watermark + UPLOADS_AGAIN if arrived.watermark else now
    if not arrived.daily and now <= again:
        return f"{_stopped(arrived)}; if an upload failed, it tries again by {_minute(again)}"
    return f"{_stopped(arrived)}; longer than a failed upload explains"


def _stopped(arrived: Arrivals) -> str:
    return f"no logs since {_minute(arrived.watermark)}, due by {_minute(arrived.due)}"


def _observed(connection: Connection) -> dict[str, _Observed]:
    rows = connection.execute(load_sql("rustbucket_pipeline.upkeep", "health_observed"))
    return {row.id: _Observed(row.outcome, row.detail, row.observed_at) for row in rows}


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"
