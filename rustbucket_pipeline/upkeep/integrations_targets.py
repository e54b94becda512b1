"""The targets of alerts as outside services: a message a day would be noise, so nothing is sent.

What is proved: that their addresses are such, that their machines answer, and that they took the last message they were
sent. Whether Sentry knows the project's key isn't: only a message would tell.
"""

import socket
import ssl
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

from sqlalchemy import select

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.alerts.routes import Target, targets_of
from rustbucket_pipeline.storage.alert_tables import alert_targets
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

SECONDS = 10.0
TLS, PLAIN = 443, 80

_ADDRESSES = ("notify_url", "webhook_url", "api_url", "cloud_notify_url")
"""What Apprise's plugins call the address of a service that has but one."""


def try_targets(bench: Bench) -> Iterator[Finding]:
    """Each target that is configured, by its name, which shows nothing of its address."""
    with bench.engine.connect() as connection:
        rows = connection.execute(select(alert_targets.c.target, alert_targets.c.failures))
        failures = {row.target: row.failures for row in rows}
    for target in targets_of(bench.settings):
        why = _unproved(target)
        failed = failures.get(target.key, 0)
        if why:
            do = "correct SENTRY_DSN or RUSTBUCKET_NOTIFY_URLS, or the service"
            yield Finding("integrations", target.name, Health.ERROR, why, do, Kind.INTEGRATION_FAILED)
        elif failed:
            why = f"its machine answers, but the last {failed} messages weren't taken"
            yield Finding("integrations", target.name, Health.WARNING, why, "`rustbucket alerts list`")
        else:
            yield Finding("integrations", target.name, Health.OK, "its machine answers")


def _unproved(target: Target) -> str:
    """What is wrong with the target, as far as that can be told without a message; empty: nothing."""
    address = target.address.get_secret_value()
    place = _of_sentry(address) if target.road == "sentry" else _of_apprise(address)
    if place is None:
        return "its address is none"
    host, port, tls = place
    if not host:
        return ""
    try:
        with socket.create_connection((host, port), SECONDS) as plain:
            if tls:
                with ssl.create_default_context().wrap_socket(plain, server_hostname=host):
                    return ""
    except OSError as error:
        return f"its machine can't be reached ({type(error).__name__})"
    return ""


def _of_sentry(address: str) -> tuple[str, int, bool] | None:
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        parts = urlsplit(Dsn(address).to_auth("rustbucket").get_api_url())
    except (BadDsn, ValueError):
        return None
    tls = parts.scheme == "https"
    return parts.hostname or "", parts.port or (TLS if tls else PLAIN), tls


def _of_apprise(address: str) -> tuple[str, int, bool] | None:
    """Where Apprise would send it; an empty host where it isn't told. None: Apprise knows no such service."""
    import logging

    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would print the address
    plugin = apprise.Apprise.instantiate(address)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if plugin is None:
        return None
    for name in _ADDRESSES:
        url = cast("object", getattr(plugin, name, None))  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            parts = urlsplit(url)
            tls = parts.scheme == "https"
            return parts.hostname or "", parts.port or (TLS if tls else PLAIN), tls
    host = cast("object", getattr(plugin, "smtp_host", None) or getattr(plugin, "host", None))  # pyright: ignore[reportUnknownArgumentType]
    port = cast("object", getattr(plugin, "port", None))  # pyright: ignore[reportUnknownArgumentType]
    tls = bool(cast("object", getattr(plugin, "secure", False)))  # pyright: ignore[reportUnknownArgumentType]
    mail = hasattr(cast("object", plugin), "smtp_host")
    return str(host or ""), port if isinstance(port, int) else TLS if tls else PLAIN, tls and not mail
