"""How a message reaches a target: by Apprise, or as events of Sentry's. Nothing else of this process goes with it.

Both libraries are imported when something is sent, not before: they take 40 MiB. Sentry's own client isn't started: it
would add local variables, breadcrumbs and host names, and doesn't tell whether an event was taken.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Protocol, cast
from uuid import NAMESPACE_URL, uuid5

from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.alerts.routes import Target
from rustbucket_pipeline.alerts.words import Message, Told, inert, line_of
from rustbucket_pipeline.errors import TargetUnavailable

if TYPE_CHECKING:
    from sentry_sdk.types import Event

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0

MOST_EVENTS = 5
"""Alerts that are an event of Sentry's each; of more, each kind is one."""

LONGEST_TAG = 200

_RUSTBUCKET = re.compile(r"BKT[0-9]{1,18}")
_WINDOW = re.compile(r"\b\d{4}-\d{2}-\d{2}-\d{2}:\d{2}\b")
_OF_JOBS = {Kind.RUN_FAILED, Kind.ZOMBIE_RUN, Kind.JOB_OVERDUE}
_LEVELS = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.ERROR: "error", Severity.CRITICAL: "fatal"}

Sender = Callable[[Target, Message, Sequence[Told]], None]
"""Hands a target a message about these. Raises `TargetUnavailable` when it isn't taken."""


class _Apprise(Protocol):
    """The part of Apprise's own that we use."""

    def add(self, services: str, /) -> bool: ...

    def notify(self, *, body: str, title: str, notify_type: str, body_format: str, timeout: float) -> object: ...


def send(target: Target, message: Message, told: Sequence[Told]) -> None:
    """Hand the target the message, by its road.

    Raises:
        TargetUnavailable: it wasn't taken, as far as is known; the message says why, and nothing of the address.
    """
    (_send_to_sentry if target.road == "sentry" else _send_by_apprise)(target, message, told)


def _send_by_apprise(target: Target, message: Message, _: Sequence[Told]) -> None:
    import logging

    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would print what the service answered
    types = {
        Severity.INFO: apprise.NotifyType.INFO,
        Severity.WARNING: apprise.NotifyType.WARNING,
        Severity.ERROR: apprise.NotifyType.FAILURE,
        Severity.CRITICAL: apprise.NotifyType.FAILURE,
    }
    asset = apprise.AppriseAsset(app_id="Rustbucket", app_desc="Rustbucket alerts", app_url="", async_mode=False)
    sender = cast("_Apprise", apprise.Apprise(asset=asset))
    if not sender.add(target.address.get_secret_value()):
        raise TargetUnavailable(f"{target.name}: Apprise doesn't know such a URL; correct RUSTBUCKET_NOTIFY_URLS")
    taken = sender.notify(
        body=message.body,
        title=message.title,
        notify_type=types[message.severity],
        body_format=apprise.NotifyFormat.TEXT,
        timeout=ANSWER_SECONDS + CONNECT_SECONDS,
    )
    if not taken:
        raise TargetUnavailable(f"{target.name}: the service can't be reached, or refused the message")


def _send_to_sentry(target: Target, _: Message, told: Sequence[Told]) -> None:
    """An event for each alert that opened or got worse. That one is over isn't told: Sentry closes its own issues."""
    import requests
    from sentry_sdk.envelope import Envelope
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        dsn = Dsn(target.address.get_secret_value())
    except (BadDsn, ValueError):
        raise TargetUnavailable("SENTRY_DSN is no address of a Sentry project; copy it from there") from None
    auth = dsn.to_auth("rustbucket")
    headers = {"X-Sentry-Auth": auth.to_header(), "Content-Type": "application/x-sentry-envelope"}
    for event in _events([one for one in told if one.state != "closed"]):
        envelope = Envelope(headers={"event_id": event.get("event_id")})
        envelope.add_event(event)
        try:
            with requests.post(
                auth.get_api_url(),
                data=envelope.serialize(),
                headers=headers,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
        except requests.RequestException as error:
            raise TargetUnavailable(f"Sentry can't be reached ({type(error).__name__})") from None
        if status != requests.codes.ok:
            raise TargetUnavailable(f"Sentry refused an event with HTTP {status}")


def _events(told: Sequence[Told]) -> list["Event"]:
    if len(told) <= MOST_EVENTS:
        return [_event([one]) for one in told]
    alike = groupby(sorted(told, key=lambda one: one.kind), key=lambda one: one.kind)
    return [_event(list(group)) for _, group in alike]


def _event(told: Sequence[Told]) -> "Event":
    """One event: plain text and tags; sent again it is the same one, which Sentry takes once."""
    first = told[0]
    more = f" … and {len(told) - 1:,} more" if len(told) > 1 else ""
    worst = max((Severity(one.severity) for one in told), key=list(Severity).index)
    return {
        "event_id": uuid5(NAMESPACE_URL, " ".join(f"{one.id}:{one.state}" for one in told)).hex,
        "timestamp": first.opened_at.astimezone(UTC).isoformat(),  # pyright: ignore[reportReturnType]
        "platform": "other",
        "level": _LEVELS[worst],  # pyright: ignore[reportReturnType]
        "logger": "rustbucket.alerts",
        "logentry": {"formatted": f"{line_of(first).removeprefix('• ')}{more}"},
        "fingerprint": ["rustbucket", first.kind, "many" if more else sha256(first.subject.encode()).hexdigest()],
        "tags": tags_of(first) | ({"alerts": str(len(told))} if more else {}),
    }


def tags_of(told: Told) -> dict[str, str]:
    """By what Sentry finds it: kind, state, cause, and the job, window and rustbucket it is about, if it is."""
    window = _WINDOW.search(told.cause)
    tags = {
        "kind": told.kind,
        "state": told.state,
        "cause": inert(told.cause, LONGEST_TAG),
        "job": inert(told.subject.partition(":")[0], LONGEST_TAG) if told.kind in _OF_JOBS else "",
        "window": window[0] if window else "",
        "rustbucket": told.subject if _RUSTBUCKET.fullmatch(told.subject) else "",
    }
    return {name: value for name, value in tags.items() if value}
