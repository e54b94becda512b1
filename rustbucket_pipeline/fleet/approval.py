"""Operators let rustbuckets in: their logs are pulled from then on, and, after a probe, they may be asked over HTTP.

The probe goes without a token: what answers might be the honeypot's decoy, which would write the token into its log.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine

from rustbucket_pipeline.alerts.book import clear
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.errors import FetchFailed, UsageError
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.poll import Poller
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.settings import Settings


def approve(engine: Engine, ids: Sequence[str], now: datetime) -> list[Rustbucket]:
    """Make rustbuckets active whose logs are pulled from their `logs_url`; all of them or none.

    Raises:
        NoSuchRustbucket: one isn't registered.
        UsageError: one has no `logs_url`, so it must be approved with HTTP.
    """
    with engine.begin() as connection:
        for rustbucket_id in ids:
            known = registry.get(connection, rustbucket_id)
            if not (known.logs_url or known.http_allowed):
                raise UsageError(f"{known.id} has no logs_url; approve it with --http if it serves the contract itself")
        return [registry.approve(connection, rustbucket_id, now) for rustbucket_id in ids]


def approve_http(
    engine: Engine, settings: Settings, ids: Sequence[str], now: datetime, *, plain_http: bool
) -> list[Rustbucket]:
    """Make rustbuckets active and allow asking them over HTTP, if each answers a probe by contract; all or none.

    Raises:
        NoSuchRustbucket: one isn't registered.
        FetchFailed: one didn't answer as it should; the message says which, how, and what to do.
    """
    with engine.connect() as connection:
        fleet = [registry.get(connection, rustbucket_id) for rustbucket_id in ids]
        guard = Guard.of(settings).among(registry.everyone(connection))
    _probe(guard, settings, [replace(rustbucket, plain_http=plain_http) for rustbucket in fleet])
    with engine.begin() as connection:
        for rustbucket in fleet:
            registry.approve(connection, rustbucket.id, now)
            registry.set_http(connection, rustbucket.id, allowed=True, plain=plain_http)
            breaker.reset(connection, rustbucket.id)
            for kind in (Kind.DECOY_ANSWERED, Kind.CONTRACT_BROKEN, Kind.POLL_FAILED):
                clear(connection, kind, rustbucket.id, now, "approved for HTTP")
        return [registry.get(connection, rustbucket_id) for rustbucket_id in ids]


def forbid_http(engine: Engine, ids: Sequence[str], now: datetime) -> list[Rustbucket]:
    """Ask rustbuckets no more over HTTP; their logs go on being pulled from `logs_url`. Raises `NoSuchRustbucket`."""
    with engine.begin() as connection:
        for rustbucket_id in ids:
            registry.get(connection, rustbucket_id)
            registry.set_http(connection, rustbucket_id, allowed=False, plain=False)
            clear(connection, Kind.POLL_FAILED, rustbucket_id, now, "HTTP forbidden")
        return [registry.get(connection, rustbucket_id) for rustbucket_id in ids]


def _probe(guard: Guard, settings: Settings, fleet: Sequence[Rustbucket]) -> None:
    poller = Poller(guard, settings.poll_deadline_seconds, lambda _: None)
    observations, errors = poller.ask_all(fleet)
    if errors:
        raise errors[0]
    for seen in observations:
        if seen.outcome != Outcome.OK:
            raise FetchFailed(
                f"{seen.rustbucket_id} isn't approved for HTTP ({seen.outcome}): {seen.detail}; "
                "nothing was changed. Rustbuckets as published serve no contract: give them a logs_url",
                seen.outcome,
            )
