"""Whether Dagster's daemon runs, told by its heartbeats: then runs are queued, and it starts them."""

from datetime import UTC, datetime, timedelta

import dagster as dg

QUEUE = "QUEUED_RUN_COORDINATOR"
"""The daemon's part that starts queued runs."""

SILENCE = timedelta(seconds=75)
"""Its heart beats each 30 seconds; after two beats missed it isn't there."""


def last_heartbeat(instance: dg.DagsterInstance) -> datetime | None:
    """When the daemon's queue was heard last (UTC); None: never."""
    heartbeat = instance.get_daemon_heartbeats().get(QUEUE)
    return datetime.fromtimestamp(heartbeat.timestamp, UTC) if heartbeat else None


def daemon_runs(instance: dg.DagsterInstance, now: datetime) -> bool:
    """Whether a daemon was heard lately."""
    heard = last_heartbeat(instance)
    return heard is not None and now - heard < SILENCE
