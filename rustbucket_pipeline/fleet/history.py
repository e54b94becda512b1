"""What was observed of rustbuckets before, and which alerts are open: read for people, nothing is decided here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.tables import rustbucket_status


@dataclass(frozen=True, slots=True)
class PastObservation:
    """A row of `rustbucket_status`: UTC, milliseconds, percent, seconds."""

    observed_at: datetime
    outcome: str
    latency_ms: int | None
    cpu: float | None
    memory: float | None
    disk: float | None
    uptime_seconds: int | None
    connections: int | None
    version: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that isn't closed yet; times are UTC."""

    kind: str
    severity: str
    cause: str
    opened_at: datetime
    last_seen_at: datetime
    count: int


def observations_of(connection: Connection, rustbucket_id: str, most: int) -> list[PastObservation]:
    """The newest observations of one rustbucket, newest first."""
    columns = [rustbucket_status.c[name] for name in PastObservation.__slots__]
    rows = connection.execute(
        select(*columns)
        .where(rustbucket_status.c.rustbucket_id == rustbucket_id)
        .order_by(rustbucket_status.c.observed_at.desc())
        .limit(most)
    )
    return [PastObservation(**row) for row in rows.mappings()]


def newest_outcomes(connection: Connection) -> dict[str, str]:
    """By rustbucket, the outcome of its newest observation."""
    rows = connection.execute(
        select(rustbucket_status.c.rustbucket_id, rustbucket_status.c.outcome)
        .distinct(rustbucket_status.c.rustbucket_id)
        .order_by(rustbucket_status.c.rustbucket_id, rustbucket_status.c.observed_at.desc())
    )
    return {row.rustbucket_id: row.outcome for row in rows}


def alerts_of(connection: Connection, subject: str) -> list[OpenAlert]:
    """The open alerts about one subject, oldest first."""
    columns = [alerts.c[name] for name in OpenAlert.__slots__]
    rows = connection.execute(
        select(*columns).where(alerts.c.subject == subject, alerts.c.closed_at.is_(None)).order_by(alerts.c.opened_at)
    )
    return [OpenAlert(**row) for row in rows.mappings()]
