"""The circuit breaker: a rustbucket that fails again and again is asked less and less often, until it answers.

Each of its endpoints is counted by itself, across runs: that it says how it is doesn't excuse that its log hangs. What
answers as its decoy, or against the contract, isn't asked at all until an operator allows it anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.storage.tables import http_failures, rustbuckets

OPENS_AT = 4
"""Failures in a row."""

FIRST_PAUSE = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(hours=2)
"""Also how long a fleet may go unasked after an outage of our own."""

FAILURES = frozenset({Outcome.TIMEOUT, Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.HTTP_ERROR})
HTTP_ENDS = frozenset({Outcome.DECOY, Outcome.INVALID})
"""What answers so isn't asked again before an operator allows it anew."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """How often an endpoint failed in a row, and before when it isn't asked again (UTC)."""

    failures: int
    paused_until: datetime

    @property
    def open(self) -> bool:
        """Whether it failed so often that it is asked less."""
        return self.failures >= OPENS_AT

    def __str__(self) -> str:
        return f"failed {self.failures} times in a row, asked again from {self.paused_until:%Y-%m-%d %H:%M} UTC"


def pause_after(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row: twice as long each time, to a limit."""
    if failures < OPENS_AT:
        return timedelta()
    return min(FIRST_PAUSE * 2 ** min(failures - OPENS_AT, 10), LONGEST_PAUSE)


def paused(engine: Engine, endpoint: str, now: datetime) -> dict[str, Circuit]:
    """By rustbucket, those that aren't asked there now."""
    with engine.connect() as connection:
        return {of: circuit for of, circuit in _circuits(connection, endpoint).items() if now < circuit.paused_until}


def check(circuits: Mapping[str, Circuit], rustbucket_id: str) -> None:
    """Nothing when it may be asked, else `FetchFailed` (`paused`)."""
    if circuit := circuits.get(rustbucket_id):
        raise FetchFailed(f"not asked: {circuit}; `rustbucket fleet approve --http` asks at once", Outcome.PAUSED)


def note(connection: Connection, endpoint: str, outcomes: Mapping[str, Outcome], now: datetime) -> dict[str, Circuit]:
    """Count what became of asking these rustbuckets there; returns the circuits of those that failed."""
    before = _circuits(connection, endpoint)
    failed = {of: _after(before.get(of), now) for of, outcome in outcomes.items() if outcome in FAILURES}
    _write(connection, endpoint, failed)
    _forget(connection, endpoint, [of for of in before if outcomes.get(of) == Outcome.OK])
    if ended := [of for of, outcome in outcomes.items() if outcome in HTTP_ENDS]:
        connection.execute(update(rustbuckets).where(rustbuckets.c.id.in_(ended)).values(http_allowed=False))
    return failed


def reset(connection: Connection, rustbucket_id: str) -> None:
    """Forget every failure of a rustbucket: an operator decided about it."""
    connection.execute(delete(http_failures).where(http_failures.c.rustbucket_id == rustbucket_id))


def _circuits(connection: Connection, endpoint: str) -> dict[str, Circuit]:
    rows = connection.execute(select(http_failures).where(http_failures.c.endpoint == endpoint))
    return {row.rustbucket_id: Circuit(row.failures, row.paused_until) for row in rows}


def _after(before: Circuit | None, now: datetime) -> Circuit:
    failures = before.failures + 1 if before else 1
    return Circuit(failures, now + pause_after(failures))


def _write(connection: Connection, endpoint: str, failed: Mapping[str, Circuit]) -> None:
    rows = [
        {"rustbucket_id": of, "endpoint": endpoint, "failures": circuit.failures, "paused_until": circuit.paused_until}
        for of, circuit in failed.items()
    ]
    if rows:
        statement = insert(http_failures)
        new = {name: statement.excluded[name] for name in ("failures", "paused_until")}
        key = (http_failures.c.rustbucket_id, http_failures.c.endpoint)
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=new), rows)


def _forget(connection: Connection, endpoint: str, answered: list[str]) -> None:
    if answered:
        which = http_failures.c.rustbucket_id.in_(answered)
        connection.execute(delete(http_failures).where(which, http_failures.c.endpoint == endpoint))
