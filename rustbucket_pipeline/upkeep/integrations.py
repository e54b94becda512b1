"""The task `integrations_check`: once a day every configured outside service is tried, with the least call that proves
it, and what expires soon is named in time. Which services: `integrations_*.py`; a new one is a file and a line here.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.model.text import first_line
from rustbucket_pipeline.upkeep.health import Component, Finding, Health, note
from rustbucket_pipeline.upkeep.integrations_claude import try_claude
from rustbucket_pipeline.upkeep.integrations_database import try_logins
from rustbucket_pipeline.upkeep.integrations_sources import try_sources
from rustbucket_pipeline.upkeep.integrations_targets import try_targets
from rustbucket_pipeline.upkeep.task import Bench, Figure, Task, Told

Try = Callable[[Bench], Iterable[Finding]]

TRIES: dict[str, Try] = {
    "sources": try_sources,
    "claude": try_claude,
    "targets": try_targets,
    "logins": try_logins,
}

KINDS = frozenset({Kind.INTEGRATION_FAILED, Kind.EXPIRES_SOON, Kind.CLAUDE_UNUSABLE, Kind.REGISTRY_MISMATCH})


def tried(bench: Bench) -> list[Finding]:
    """What became of every service that is configured; one that fails stops no other."""
    found: list[Finding] = []
    for name, service in TRIES.items():
        bench.say(f"trying {name}")
        try:
            found.extend(service(bench))
        except (RustbucketError, SQLAlchemyError, OSError) as error:
            why = first_line(error) if isinstance(error, RustbucketError) else type(error).__name__
            found.append(Finding("integrations", name, Health.ERROR, why, kind=Kind.INTEGRATION_FAILED))
    return found


def run(bench: Bench) -> Told:
    """Try them, and open and close the alerts that follow."""
    found = tried(bench)
    component = Component("integrations", lambda _: found, KINDS)
    with bench.engine.begin() as connection:
        note(connection, [component], found, bench.now)
    return _told(found)


def dry_run(bench: Bench) -> Told:
    """Try them all the same: that changes nothing anywhere; no alert follows."""
    return _told(tried(bench))


def _told(found: list[Finding]) -> Told:
    wrong = sum(one.health in {Health.ERROR, Health.WARNING} for one in found)
    figures: dict[str, Figure] = {"tried": len(found), "wrong": wrong}
    lines = tuple(f"{one.health}: {one.subject}: {one.why}" for one in found)
    summary = f"{wrong} of {len(found)} need somebody" if wrong else f"all {len(found)} are as they should be"
    return Told(summary if found else "no outside service is configured", figures, lines)


INTEGRATIONS_CHECK = Task(
    name="integrations_check",
    what="Try every configured outside service with the least call that proves it; name what expires soon.",
    cron="0 1 * * *",
    every=timedelta(days=1),
    run=run,
    dry_run=dry_run,
    deps=("rustbuckets",),
    kinds=frozenset({"s3", "anthropic"}),
)
