"""What a health check finds, and how what it finds becomes alerts. The checks are `health_*.py`, a file for each part.

Unknown is never healthy: a part that can't be looked at says so, and neither opens nor closes an alert.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from rustbucket_pipeline.alerts.book import clear, open_alerts, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.model.text import first_line
from rustbucket_pipeline.upkeep.task import Bench, Figure


class Health(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is: of which component, what about, why, and what to do about it (empty if nothing).

    `kind`: the alert that stands for it while it isn't `OK`; None: somebody else alerts, or nobody has to.
    """

    component: str
    subject: str
    health: Health
    why: str
    do: str = ""
    kind: Kind | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict[str, Figure])


@dataclass(frozen=True, slots=True)
class Component:
    """A part that is looked at; `kinds` are the alerts it alone opens and closes."""

    name: str
    look: Callable[[Bench], Iterable[Finding]]
    kinds: frozenset[Kind] = frozenset()


def examine(bench: Bench, components: Iterable[Component]) -> list[Finding]:
    """What each component finds; one that can't be looked at is unknown, and stops no other."""
    return [finding for component in components for finding in _look(bench, component)]


def _look(bench: Bench, component: Component) -> list[Finding]:
    """What it finds, up to where it can't look."""
    found: list[Finding] = []
    try:
        found.extend(component.look(bench))
    except (RustbucketError, SQLAlchemyError, OSError) as error:
        why = first_line(error) if isinstance(error, RustbucketError) else type(error).__name__
        found.append(Finding(component.name, component.name, Health.UNKNOWN, f"it can't be looked at ({why})"))
    return found


def note(connection: Connection, components: Collection[Component], findings: Iterable[Finding], now: datetime) -> int:
    """Open the alerts of what isn't healthy, close those of what is again; how many of these components are open."""
    found = list(findings)
    unknown = {one.component for one in found if one.health is Health.UNKNOWN and one.subject == one.component}
    wrong = {(str(one.kind), one.subject): one for one in found if one.kind and one.health in _WRONG}
    for (kind, subject), one in wrong.items():
        raise_(connection, kind, subject, _cause(one), Kind(kind).severity, now)
    owned = {str(kind) for component in components if component.name not in unknown for kind in component.kinds}
    for kind, subject in open_alerts(connection):
        if kind in owned and (kind, subject) not in wrong:
            clear(connection, kind, subject, now, "it is as it should be")
    return len(wrong)


_WRONG = frozenset({Health.WARNING, Health.ERROR})


def _cause(finding: Finding) -> str:
    return f"{finding.why}; {finding.do}" if finding.do else finding.why
