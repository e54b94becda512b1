"""Who is told, now: every target what it still has to be told, and its digest at night. One tick; never twice at once.

A state of an alert is noted as told once its target took the message. Killed between the two, the next tick sends it
again: at least once, not at most. A target that fails is left alone for a while and holds up no other.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from rustbucket_pipeline.alerts import pending
from rustbucket_pipeline.alerts.desk import escalate
from rustbucket_pipeline.alerts.routes import Target, targets_of
from rustbucket_pipeline.alerts.senders import Sender, send
from rustbucket_pipeline.alerts.words import Message, Told, digest_of, message_of
from rustbucket_pipeline.errors import TargetUnavailable
from rustbucket_pipeline.settings import Settings

DEADLINE_SECONDS = 40.0
"""How long all targets together may take; who isn't done by then counts as failed."""

AT_ONCE = 8
DAY = timedelta(days=1)
DIGEST_LATE = timedelta(hours=8)
"""A digest that couldn't be sent at its hour is, within the night."""

LOCK = 0x52_42_4E_4F_54_49_46_59
"""Of the database: whoever holds it sends."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one target is sent in one go."""

    target: Target
    message: Message
    told: list[Told]
    digest: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a tick went: messages that were taken, alerts in them, and why others weren't, by the target's name."""

    messages: int
    alerts: int
    failed: dict[str, str]


NOTHING = Outcome(0, 0, {})


def tell(engine: Engine, settings: Settings, now: datetime, *, forced: bool = False, sender: Sender = send) -> Outcome:
    """Make lasting alerts worse, then tell every target what is due; `forced`: all of it now, whatever is switched off.

    Raises:
        ConfigurationError: the targets' settings can't be read.
        DatabaseUnavailable: what was sent meanwhile may be sent again.
    """
    with engine.begin() as connection:
        escalate(connection, now)
    targets = targets_of(settings)
    with engine.begin() as connection:
        pending.meet(connection, targets, now)
    if not targets or not (settings.alert_on_failure or forced):
        return NOTHING
    with engine.connect() as connection:
        taken = connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}).scalar_one()
        if not taken:
            return NOTHING
        try:
            parcels = [parcel for target in targets for parcel in _due(connection, target, settings, now, forced)]
            connection.commit()  # held in the session alone: sending may take a while
            return _deliver(connection, parcels, now, sender)
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})


def digest_due(settings: Settings, now: datetime) -> datetime | None:
    """The hour of the newest digest, if it isn't too late for it (UTC); None: there is none."""
    if settings.notify_digest_hour is None:
        return None
    local = now.astimezone(ZoneInfo(settings.tick_timezone))
    due = local.replace(hour=settings.notify_digest_hour, minute=0, second=0, microsecond=0)
    due = due if due <= local else due - DAY
    return due.astimezone(now.tzinfo) if local - due < DIGEST_LATE else None


def _due(connection: Connection, target: Target, settings: Settings, now: datetime, forced: bool) -> list[Parcel]:
    standing = pending.standing_of(connection, target)
    if standing.retry_at is not None and standing.retry_at > now and not forced:
        return []
    told = pending.pending_of(connection, target, now, at_once=forced)
    parcels = [Parcel(target, message_of(told), told, digest=False)] if told else []
    hour = digest_due(settings, now)
    if hour and target.road != "sentry" and (standing.digest_at is None or standing.digest_at < hour):
        day = pending.day_of(connection, target, hour - DAY)
        if day:
            parcels.append(Parcel(target, digest_of(day), day, digest=True))
        else:
            pending.note_digest(connection, target, now)
    return parcels


def _deliver(connection: Connection, parcels: Sequence[Parcel], now: datetime, sender: Sender) -> Outcome:
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="alerts")
    sending = [(parcel, pool.submit(sender, parcel.target, parcel.message, parcel.told)) for parcel in parcels]
    done, _ = wait([future for _, future in sending], timeout=DEADLINE_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    messages, alerts, failed = 0, 0, dict[str, str]()
    for parcel, future in sending:
        why = _why(future) if future in done else f"it took longer than {DEADLINE_SECONDS:.0f} s"
        if why:
            pending.note_failed(connection, parcel.target, why, now)
            failed[parcel.target.name] = why
        elif parcel.digest:
            pending.note_digest(connection, parcel.target, now)
            messages += 1
        else:
            pending.note_sent(connection, parcel.target, parcel.told, now)
            messages, alerts = messages + 1, alerts + len(parcel.told)
        connection.commit()
    return Outcome(messages, alerts, failed)


def _why(future: Future[None]) -> str:
    """Why it wasn't taken, empty if it was; of a library's own error no more than its name, which holds no secret."""
    error = future.exception()
    if error is None or isinstance(error, TargetUnavailable):
        return str(error or "")
    return type(error).__name__
