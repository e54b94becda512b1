"""The logins of an outside PostgreSQL: whether their passwords expire soon."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import text

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

SOON = timedelta(days=30)

_LOGINS = text(
    "SELECT rolname, rolvaliduntil FROM pg_roles "
    "WHERE rolname IN (current_user, 'rustbucket_reader') AND rolvaliduntil < 'infinity' ORDER BY rolname"
)


def try_logins(bench: Bench) -> Iterator[Finding]:
    """Our login and the reader's, where their passwords have an end."""
    with bench.engine.connect() as connection:
        logins = connection.execute(_LOGINS).all()
    for name, until in logins:
        soon = until - bench.now < SOON
        health = Health.WARNING if soon else Health.OK
        why = f"its password expires on {until:%Y-%m-%d %H:%M} UTC"
        do = "ALTER ROLE … VALID UNTIL" if soon else ""
        yield Finding("integrations", f"login {name}", health, why, do, Kind.EXPIRES_SOON)
