"""The book of alerts: one open entry for each kind and subject, counted while it lasts, closed when it is over.

What comes back within the hour was never over: its entry is opened again, so that what flaps is one alert. They work
inside the caller's transaction, so an alert is written with what it is about or not at all.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Update, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.storage.alert_tables import alert_acts, alerts

LONGEST_CAUSE = 1000
LONGEST_SUBJECT = 200

CALM = timedelta(hours=1)
"""How long a cause must stay away until its alert is over for good; only then is anybody told so."""


def raise_(
    connection: Connection, kind: str, subject: str, cause: str, severity: str, now: datetime, times: int = 1
) -> None:
    """Open an alert (`kinds.Kind`, `kinds.Severity`); if one is open already, count it and keep the newest cause.

    One that closed by itself within the last hour is opened again; one that a person resolved isn't.
    """
    cause = bounded(cause, LONGEST_CAUSE)
    again = _opened_again(kind, bounded(subject, LONGEST_SUBJECT), now)
    values = {"cause": cause, "severity": severity, "count": alerts.c.count + times, "last_seen_at": now}
    if connection.execute(again.values(values)).rowcount:
        return
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


def _opened_again(kind: str, subject: str, now: datetime) -> Update:
    """The newest alert that closed by itself a moment ago, open again; nothing where one is open."""
    mine = (alerts.c.kind == kind) & (alerts.c.subject == subject)
    resolved = select(literal(1)).where(alert_acts.c.alert_id == alerts.c.id, alert_acts.c.act == "resolved")
    calm = alerts.c.closed_at.between(now - CALM, now)
    one_open = select(alerts.c.id).where(mine, alerts.c.closed_at.is_(None)).correlate(None).exists()
    newest = (
        select(alerts.c.id)
        .where(mine, calm, ~resolved.exists(), ~one_open)
        .order_by(alerts.c.closed_at.desc(), alerts.c.id.desc())
        .limit(1)
        .correlate(None)
        .scalar_subquery()
    )
    return update(alerts).where(alerts.c.id == newest, calm).values(closed_at=None, closed_by=None)


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
