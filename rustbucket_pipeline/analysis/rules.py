"""Rules as data: what a `rules/*.yaml` file may say, and reading them. Which rows one matches is SQL (`findings`).

A rule carries its own tests: examples that it must match and near misses that it must not.
"""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.errors import ConfigurationError


class FieldName(StrEnum):
    """The text of a record that a rule looks at; `any` is everything an attacker may have written."""

    COMMAND = "command"
    PATH = "path"
    REQUEST = "request"
    USERNAME = "username"
    PASSWORD = "password"  # noqa: S105
    CREDENTIAL = "credential"
    RECIPIENT = "recipient"
    MESSAGE = "message"
    ANY = "any"


class Per(StrEnum):
    """What a rule counts by. A source that the log doesn't name counts as its rustbucket."""

    WINDOW = "window"
    SOURCE = "source"
    RUSTBUCKET = "rustbucket"
    CREDENTIAL = "credential"


class RulePart(BaseModel):
    """Base: unchangeable; a word that means nothing here is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(RulePart):
    """Which records: types and protocols (none: all), and patterns (PostgreSQL's, any case) on one field.

    `counted`: only the one telling of an action that counts.
    """

    event_types: tuple[str, ...] = Field(min_length=1)
    protocols: tuple[str, ...] = ()
    counted: bool = True
    field: FieldName = FieldName.MESSAGE
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


class AtLeast(RulePart):
    """How many records, from how many rustbuckets, a group needs before it counts."""

    events: int = Field(1, ge=1)
    rustbuckets: int = Field(1, ge=1)


class Examples(RulePart):
    """Texts of the rule's field: those it must match, and those that only look like it."""

    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()


class Rule(RulePart):
    """One rule. `why` and `advice` are ours, so they may be shown anywhere; `{events}`, `{sources}`, `{rustbuckets}`,
    `{groups}` and `{largest}` in `why` become numbers.
    """

    id: str = Field(pattern=r"^[a-z0-9-]{3,40}$")
    title: str = Field(max_length=80)
    severity: Severity
    technique: str | None = Field(None, pattern=r"^T[0-9]{4}(\.[0-9]{3})?$")
    source: str
    match: Match
    per: Per = Per.WINDOW
    at_least: AtLeast = AtLeast(events=1, rustbuckets=1)
    why: str
    advice: str
    examples: Examples = Examples()


@cache
def load_rules() -> tuple[Rule, ...]:
    """All rules of this version, worst first.

    Raises:
        ConfigurationError: a rule file is malformed; the message names it.
    """
    folder = files("rustbucket_pipeline.analysis") / "rules"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    rules = [rule for name in names for rule in parse_rules(name, (folder / name).read_text(encoding="utf-8"))]
    return tuple(sorted(rules, key=lambda rule: (-rule.severity.rank, rule.id)))


def parse_rules(name: str, content: str) -> list[Rule]:
    """The rules of one file: a list of them in YAML.

    Raises:
        ConfigurationError: it isn't; the message names the file and what is wrong.
    """
    try:
        entries: object = yaml.safe_load(content)
        if not isinstance(entries, list):
            raise ConfigurationError(f"rules/{name}: a list of rules is expected; see docs/report.md")
        return [Rule.model_validate(entry) for entry in cast("list[object]", entries)]
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"rules/{name} can't be used: {error}; see docs/report.md") from error
