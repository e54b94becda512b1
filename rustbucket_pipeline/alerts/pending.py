"""What each target still has to be told, and what it was told. Sends nothing.

Each target is told each state of an alert once. Alerts of a kind come together: after a message that had some, that
kind is silent for a quarter of an hour. And no target gets more than six messages an hour, whatever happens: what is
left over is in the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.alerts.book import CALM, clear, open_alerts, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.alerts.routes import Target
from rustbucket_pipeline.alerts.words import Told
from rustbucket_pipeline.storage.alert_tables import alert_deliveries, alert_messages, alert_targets
from rustbucket_pipeline.storage.postgres import load_sql

QUIET = timedelta(minutes=15)
"""How long an incident, all alerts of a kind, is silent after a message; what is critical isn't."""

MOST_AN_HOUR = 6
HOUR = timedelta(hours=1)

FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)
FAILURES_TOLD = 3
"""After so many failures in a row there is an alert about the target itself."""

_PACKAGE = "rustbucket_pipeline.alerts"
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """How sending to a target went: failures in a row, until when it is left alone, its last digest (UTC)."""

    failures: int
    retry_at: datetime | None
    digest_at: datetime | None


def meet(connection: Connection, targets: Sequence[Target], now: datetime) -> None:
    """Get to know new targets, and forget the alerts about those that are no longer configured."""
    for target in targets:
        row = insert(alert_targets).values(target=target.key, name=target.name, digest_at=now)
        connection.execute(row.on_conflict_do_nothing())
    names = {target.name for target in targets}
    for kind, subject in open_alerts(connection):
        if kind == Kind.TARGET_FAILED.value and subject not in names:
            clear(connection, kind, subject, now, "isn't configured any more")


def standing_of(connection: Connection, target: Target) -> Standing:
    """How sending to a target that was met went."""
    mine = alert_targets.c.target == target.key
    row = connection.execute(
        select(alert_targets.c.failures, alert_targets.c.retry_at, alert_targets.c.digest_at).where(mine)
    ).one()
    return Standing(row.failures, row.retry_at, row.digest_at)


def pending_of(connection: Connection, target: Target, now: datetime, *, at_once: bool = False) -> list[Told]:
    """What the target has to be told now; `at_once`: whatever the quiet window and the rate say."""
    recent = (alert_messages.c.target == target.key) & (alert_messages.c.sent_at > now - HOUR)
    sent = connection.execute(select(func.count()).where(recent)).scalar_one()
    if target.digest_only or (sent >= MOST_AN_HOUR and not at_once):
        return []
    quiet = connection.execute(load_sql(_PACKAGE, "quiet_kinds"), {"target": target.key, "since": now - QUIET})
    place = {
        "target": target.key,
        "now": now,
        "calm": CALM,
        "kinds": [kind.value for kind in target.kinds],
        "severities": [severity.value for severity in target.severities],
        "silent": [] if at_once else list(quiet.scalars()),
    }
    return [Told(*row) for row in connection.execute(load_sql(_PACKAGE, "pending"), place)]


def day_of(connection: Connection, target: Target, since: datetime) -> list[Told]:
    """What is open of the target's kinds, and what closed since then; whatever the target was told of it."""
    place = {"kinds": [kind.value for kind in target.kinds], "since": since}
    return [Told(*row) for row in connection.execute(load_sql(_PACKAGE, "digest"), place)]


def note_sent(connection: Connection, target: Target, told: Sequence[Told], now: datetime) -> None:
    """Note that the target took a message about these."""
    connection.execute(insert(alert_messages).values(target=target.key, sent_at=now, alerts=len(told)))
    rows = [{"target": target.key, "alert_id": one.id, "state": one.state, "sent_at": now} for one in told]
    for start in range(0, len(rows), _ROWS):
        connection.execute(insert(alert_deliveries).on_conflict_do_nothing(), rows[start : start + _ROWS])
    _works(connection, target, now)


def note_digest(connection: Connection, target: Target, now: datetime) -> None:
    """Note that the target took its digest, or had none coming."""
    connection.execute(update(alert_targets).where(alert_targets.c.target == target.key).values(digest_at=now))


def note_failed(connection: Connection, target: Target, why: str, now: datetime) -> None:
    """Leave the target alone for a while, longer each time; in the end there is an alert about it."""
    failures = standing_of(connection, target).failures + 1
    pause = min(FIRST_RETRY * 2 ** min(failures - 1, 10), LAST_RETRY)
    mine = alert_targets.c.target == target.key
    connection.execute(update(alert_targets).where(mine).values(failures=failures, retry_at=now + pause))
    if failures >= FAILURES_TOLD:
        kind = Kind.TARGET_FAILED
        cause = f"{failures} messages in a row weren't taken: {why}; correct its URL or its service"
        raise_(connection, kind, target.name, cause, kind.severity, now)


def _works(connection: Connection, target: Target, now: datetime) -> None:
    mine = alert_targets.c.target == target.key
    connection.execute(update(alert_targets).where(mine).values(failures=0, retry_at=None))
    clear(connection, Kind.TARGET_FAILED, target.name, now, "it took a message")
