"""What people see of alerts and do about them: look, acknowledge, snooze, resolve. Who did so and when is kept.

An alert closes by itself when its cause is gone. Acknowledged, it doesn't escalate and nobody is told of it any more;
snoozed, it is silent for a while; resolved, it is closed, and opened anew if its cause comes again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, column, insert, select, table, update

from rustbucket_pipeline.alerts.kinds import Severity
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.storage.alert_tables import alert_acts, alert_deliveries, alert_targets, alerts

LONGEST_REASON = 500

LASTS = {Severity.WARNING: timedelta(days=1), Severity.ERROR: timedelta(days=1)}
"""How long an alert lasts until it is a severity worse; what is only worth knowing never is."""

_SHOWN = (
    *("id", "kind", "severity", "subject", "cause", "count", "opened_at", "last_seen_at", "escalated_at"),
    *("acknowledged_at", "snoozed_until", "closed_at", "closed_by"),
)
_LIST = table("alert_list", *(column(name, alerts.c[name].type) for name in _SHOWN))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is now. Subject and cause may hold an attacker's words. Times are UTC."""

    id: int
    kind: str
    severity: str
    subject: str
    cause: str
    count: int
    opened_at: datetime
    last_seen_at: datetime
    escalated_at: datetime | None
    acknowledged_at: datetime | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    closed_by: str | None

    def state(self, now: datetime) -> str:
        """What became of it: `open`, `acknowledged`, `snoozed` or `closed`."""
        if self.closed_at is not None:
            return "closed"
        if self.snoozed_until is not None and self.snoozed_until > now:
            return "snoozed"
        return "acknowledged" if self.acknowledged_at is not None else "open"


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did about an alert, and when (UTC); or that a target was told of it."""

    at: datetime
    by: str
    act: str
    until: datetime | None
    reason: str | None


def listed(
    connection: Connection,
    closed_since: datetime | None = None,
    kinds: Collection[str] = (),
    subject: str | None = None,
) -> list[Alert]:
    """The open alerts, newest first, and those closed since then; of these kinds, or of that subject only."""
    query = select(_LIST)
    is_open = _LIST.c.closed_at.is_(None)
    query = query.where(is_open if closed_since is None else is_open | (_LIST.c.closed_at >= closed_since))
    if kinds:
        query = query.where(_LIST.c.kind.in_(kinds))
    if subject is not None:
        query = query.where(_LIST.c.subject == subject)
    rows = connection.execute(query.order_by(_LIST.c.opened_at.desc(), _LIST.c.id.desc()))
    return [Alert(*row) for row in rows]


def get(connection: Connection, alert_id: int) -> Alert:
    """The alert of that number.

    Raises:
        UsageError: there is none.
    """
    row = connection.execute(select(_LIST).where(_LIST.c.id == alert_id)).one_or_none()
    if row is None:
        raise UsageError(f"no alert {alert_id}; `rustbucket alerts list --closed 90d` shows all of them")
    return Alert(*row)


def story_of(connection: Connection, alert_id: int) -> list[Act]:
    """What people did about the alert and which targets were told of it, oldest first."""
    told = (
        select(alert_deliveries.c.sent_at, alert_targets.c.name, alert_deliveries.c.state)
        .join(alert_targets, alert_targets.c.target == alert_deliveries.c.target)
        .where(alert_deliveries.c.alert_id == alert_id)
    )
    done = select(*(alert_acts.c[name] for name in Act.__slots__)).where(alert_acts.c.alert_id == alert_id)
    acts = [Act(*row) for row in connection.execute(done)]
    acts += [Act(row.sent_at, row.name, f"told: {row.state}", None, None) for row in connection.execute(told)]
    return sorted(acts, key=lambda act: act.at)


def acknowledge(connection: Connection, ids: Sequence[int], by: str, reason: str, now: datetime) -> list[Alert]:
    """Say that somebody sees to them. Raises `UsageError` when one isn't there, or is closed."""
    return _act(connection, ids, "acknowledged", by, reason, now, None, {"acknowledged_at": now})


def snooze(
    connection: Connection, ids: Sequence[int], until: datetime, by: str, reason: str, now: datetime
) -> list[Alert]:
    """Be silent about them until then (UTC).

    Raises:
        UsageError: one isn't there, or is closed; or the moment isn't still to come.
    """
    if until <= now:
        raise UsageError("a snooze ends in the future; write --for 4h, 30m or 2d")
    return _act(connection, ids, "snoozed", by, reason, now, until, {"snoozed_until": until})


def resolve(connection: Connection, ids: Sequence[int], by: str, reason: str, now: datetime) -> list[Alert]:
    """Close them; what is still wrong opens a new one. Raises `UsageError` when one isn't there, or is closed."""
    ended = {"closed_at": now, "closed_by": bounded(by, LONGEST_REASON)}
    return _act(connection, ids, "resolved", by, reason, now, None, ended)


def escalate(connection: Connection, now: datetime) -> int:
    """Make every alert that lasts a severity worse, once, unless somebody sees to it or it is snoozed; how many."""
    due = [(alerts.c.severity == severity) & (alerts.c.opened_at <= now - limit) for severity, limit in LASTS.items()]
    lasting = due[0]
    for one in due[1:]:
        lasting |= one
    snoozed = alerts.c.snoozed_until.is_not(None) & (alerts.c.snoozed_until > now)
    done = connection.execute(
        update(alerts)
        .where(lasting, ~snoozed, alerts.c.closed_at.is_(None))
        .where(alerts.c.acknowledged_at.is_(None), alerts.c.escalated_at.is_(None))
        .values(escalated_at=now)
    )
    return done.rowcount


def _act(
    connection: Connection,
    ids: Sequence[int],
    act: Literal["acknowledged", "snoozed", "resolved"],
    by: str,
    reason: str,
    now: datetime,
    until: datetime | None,
    values: Mapping[str, object],
) -> list[Alert]:
    for alert_id in ids:
        if get(connection, alert_id).closed_at is not None:
            raise UsageError(f"alert {alert_id} is closed; there is nothing to do about it any more")
    connection.execute(update(alerts).where(alerts.c.id.in_(ids)).values(values))
    rows = [
        {"alert_id": alert_id, "at": now, "by": by, "act": act, "until": until, "reason": reason}
        for alert_id in dict.fromkeys(ids)
    ]
    connection.execute(insert(alert_acts), [row | {"reason": bounded(reason, LONGEST_REASON)} for row in rows])
    return [get(connection, alert_id) for alert_id in dict.fromkeys(ids)]
