"""One observation of the whole fleet: asked where HTTP is allowed, told by arrivals elsewhere; one row each, always.

Questions are asked outside of any transaction; then rows, registry and alerts are written in one.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, bindparam, func, update
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.fleet.alarms import sound
from rustbucket_pipeline.fleet.arrivals import Arrivals, arrivals_of_active
from rustbucket_pipeline.fleet.contract import Vitals
from rustbucket_pipeline.fleet.poll import Observation, Poller
from rustbucket_pipeline.fleet.registry import active_rustbuckets
from rustbucket_pipeline.fleet.tokens import token_reader
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import EPOCH
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.asking import UPDATE_BUCKET
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.tables import rustbucket_status, rustbuckets

LONGEST_DETAIL = 300
MOST_DETAILS = 20
ALIVE = frozenset({Outcome.OK, Outcome.ARRIVAL})


@dataclass(frozen=True, slots=True)
class FleetOutcome:
    """What one observation found. `counts` by outcome; `slowest` is the longest answer in milliseconds, and whose.

    `details` has up to 20 of those that aren't alive: id and reason, escaped.
    """

    rows: int
    counts: dict[str, int]
    slowest: tuple[str, int] | None
    seconds: float
    details: dict[str, str]


def observe_fleet(engine: Engine, settings: Settings, now: datetime) -> FleetOutcome:
    """Observe every active rustbucket and write one row for each.

    Raises:
        ConfigurationError: the allowed networks are malformed, or too few files may be open; nobody was asked.
        Exception: a fault of our own met while asking one rustbucket, after every row was written.
    """
    begun = time.monotonic()
    fleet = active_rustbuckets(engine)
    guard, paused = Guard.of(settings).among(fleet), breaker.paused(engine, UPDATE_BUCKET, now)
    poller = Poller(guard, settings.poll_deadline_seconds, token_reader(engine, settings), paused)
    asked, errors = poller.ask_all(_longest_unseen_first(fleet))
    observations = note_observations(engine, fleet, asked, now)
    if errors:
        raise errors[0]
    return _outcome(observations, time.monotonic() - begun)


def note_observations(
    engine: Engine, fleet: Sequence[Rustbucket], asked: Sequence[Observation], now: datetime
) -> list[Observation]:
    """Write a row for each of the fleet, those that weren't asked told by arrivals; open and close their alerts."""
    with engine.begin() as connection:
        arrived = arrivals_of_active(connection, now)
        observations = [*asked, *_told(fleet, arrived, now)]
        _write(connection, observations, now)
        _note(connection, observations, arrived, now)
        circuits = breaker.note(connection, UPDATE_BUCKET, {one.rustbucket_id: one.outcome for one in asked}, now)
        sound(connection, observations, fleet, circuits, now)
    return observations


def _longest_unseen_first(fleet: Sequence[Rustbucket]) -> list[Rustbucket]:
    """Those to be asked; who probably hangs comes first, so that the wait for it overlaps with everything else."""
    asked = [rustbucket for rustbucket in fleet if rustbucket.http_allowed]
    return sorted(asked, key=lambda rustbucket: rustbucket.last_seen or EPOCH)


def _told(fleet: Sequence[Rustbucket], arrived: Sequence[Arrivals], now: datetime) -> list[Observation]:
    not_asked = {rustbucket.id for rustbucket in fleet if not rustbucket.http_allowed}
    return [arrivals.observe(now) for arrivals in arrived if arrivals.rustbucket_id in not_asked]


def _write(connection: Connection, observations: Sequence[Observation], now: datetime) -> None:
    if observations:
        rows = [_row(observation, now) for observation in observations]
        connection.execute(insert(rustbucket_status).on_conflict_do_nothing(), rows)


def _row(observation: Observation, now: datetime) -> dict[str, object]:
    vitals = observation.vitals
    said: Mapping[str, object] = vitals.model_dump() if vitals else dict.fromkeys(Vitals.model_fields)
    return {
        "rustbucket_id": observation.rustbucket_id,
        "observed_at": now,
        "outcome": observation.outcome,
        "latency_ms": observation.latency_ms,
        **said,
        "version": bounded(vitals.version, 100) if vitals and vitals.version else None,
        "detail": bounded(observation.detail, LONGEST_DETAIL) if observation.detail else None,
    }


def _note(
    connection: Connection, observations: Sequence[Observation], arrived: Sequence[Arrivals], now: datetime
) -> None:
    """When each was last seen."""
    pulled = {arrivals.rustbucket_id: arrivals.pulled_at for arrivals in arrived}
    seen = {
        one.rustbucket_id: now if one.outcome == Outcome.OK else pulled[one.rustbucket_id]
        for one in observations
        if one.outcome in ALIVE
    }
    if seen:
        latest = func.greatest(rustbuckets.c.last_seen, bindparam("seen"))
        statement = update(rustbuckets).where(rustbuckets.c.id == bindparam("of")).values(last_seen=latest)
        connection.execute(statement, [{"of": one, "seen": moment} for one, moment in seen.items()])


def _outcome(observations: Sequence[Observation], seconds: float) -> FleetOutcome:
    timed = [(one.rustbucket_id, one.latency_ms) for one in observations if one.latency_ms is not None]
    failed = [one for one in observations if one.outcome not in ALIVE]
    return FleetOutcome(
        rows=len(observations),
        counts=dict(Counter(str(one.outcome) for one in observations)),
        slowest=max(timed, key=lambda pair: pair[1], default=None),
        seconds=seconds,
        details={one.rustbucket_id: bounded(one.detail or "", LONGEST_DETAIL) for one in failed[:MOST_DETAILS]},
    )
