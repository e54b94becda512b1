"""The book of alerts: one open entry for each kind and subject, counted while it lasts, closed when it is over.

They work inside the caller's transaction, so an alert is written with what it is about or not at all.
"""

from datetime import datetime

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.storage.alert_tables import alerts

LONGEST_CAUSE = 1000
LONGEST_SUBJECT = 200


def raise_(
    connection: Connection, kind: str, subject: str, cause: str, severity: str, now: datetime, times: int = 1
) -> None:
    """Open an alert (`kinds.Kind`, `kinds.Severity`); if one is open already, count it and keep the newest cause."""
    cause = bounded(cause, LONGEST_CAUSE)
    statement = insert(alerts).values(
        kind=kind,
        subject=bounded(subject, LONGEST_SUBJECT),
        cause=cause,
        severity=severity,
        opened_at=now,
        last_seen_at=now,
        count=times,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[alerts.c.kind, alerts.c.subject],
            index_where=text("closed_at IS NULL"),
            set_={
                "cause": cause,
                "severity": severity,
                "count": alerts.c.count + times,
                "last_seen_at": func.greatest(alerts.c.last_seen_at, statement.excluded.last_seen_at),
            },
        )
    )


def clear(connection: Connection, kind: str, subject: str, now: datetime, by: str) -> None:
    """Close the open alert of that kind and subject, noting what or who ended it; nothing when none is open."""
    connection.execute(
        update(alerts)
        .where(alerts.c.kind == kind, alerts.c.subject == bounded(subject, LONGEST_SUBJECT))
        .where(alerts.c.closed_at.is_(None))
        .values(closed_at=now, closed_by=bounded(by, LONGEST_SUBJECT))
    )


def clear_all(connection: Connection, subject: str, now: datetime, by: str) -> None:
    """Close every open alert about that subject, of whatever kind: it is no longer our business."""
    connection.execute(
        update(alerts)
        .where(alerts.c.subject == bounded(subject, LONGEST_SUBJECT), alerts.c.closed_at.is_(None))
        .values(closed_at=now, closed_by=bounded(by, LONGEST_SUBJECT))
    )


def open_alerts(connection: Connection) -> set[tuple[str, str]]:
    """Kind and subject of every alert that is open, for callers that would clear many of which few are."""
    rows = connection.execute(select(alerts.c.kind, alerts.c.subject).where(alerts.c.closed_at.is_(None)))
    return {(row.kind, row.subject) for row in rows}
