"""Rules as data: what a `rules/*.yaml` file may say, and reading them. Patterns are RE2's (`matching`); which rows one
matches is for `hits`, what it says of them for `findings`.

A rule carries its own tests: examples that it must match and near misses that it must not.
"""

import json
from enum import StrEnum
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Self, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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
    PASSWORD = "password"  # noqa: S105
    """A source's one password."""


COMMAND_BEGINS = (
    r"(?:^|[;&|(){}`\n$]|\b(?:sudo|nohup|busybox|exec|then|do|else|env|xargs|time)\s)\s*(?:/[\w./-]{1,40}/)?"
)
"""What `<cmd>` in a pattern stands for."""


def expanded(pattern: str) -> str:
    """The pattern as RE2 reads it."""
    return pattern.replace("<cmd>", COMMAND_BEGINS)


class RulePart(BaseModel):
    """Base: unchangeable; a word that means nothing here is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(RulePart):
    """Which records: types and protocols (none: all), and patterns (RE2's, any case) on one field: all of some, one of
    others, none of the last. `<cmd>` in a pattern is where a command of a shell begins, after its directory.

    `counted`: only the one telling of an action that counts.
    """

    event_types: tuple[str, ...] = Field(min_length=1)
    protocols: tuple[str, ...] = ()
    counted: bool = True
    field: FieldName = FieldName.MESSAGE
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """The patterns that speak for a match; a rule without any takes every record of its types."""
        return (*self.all_of, *self.any_of)


class AtLeast(RulePart):
    """How many records, with how many texts, from how many rustbuckets, a group needs before it counts."""

    events: int = Field(default=1, ge=1)
    texts: int = Field(default=1, ge=1)
    rustbuckets: int = Field(default=1, ge=1)

    @property
    def is_one(self) -> bool:
        """Whether a single record is enough."""
        return self.events == self.texts == self.rustbuckets == 1


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
    cve: tuple[Annotated[str, Field(pattern=r"^CVE-[0-9]{4}-[0-9]{4,7}$")], ...] = ()
    source: str = Field(pattern=r"^https://")
    match: Match
    per: Per = Per.WINDOW
    at_least: AtLeast = AtLeast()
    why: str
    advice: str
    examples: Examples = Examples()

    @property
    def counts(self) -> bool:
        """Whether one text isn't enough: groups of rows are counted, or there is nothing to match."""
        return not self.match.wanted or not self.at_least.is_one or self.per is not Per.WINDOW

    @model_validator(mode="after")
    def _counts_one_text(self) -> Self:
        if self.counts and self.match.field is FieldName.ANY:
            raise ValueError("a rule that counts looks at one field, not at any")
        return self


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


@cache
def rules_version() -> str:
    """Hash of what all rules say, their examples included."""
    told = json.dumps([rule.model_dump(mode="json") for rule in load_rules()], sort_keys=True)
    return sha256(told.encode()).hexdigest()[:16]


def parse_rules(name: str, content: str) -> list[Rule]:
    """The rules of one file: a list of them in YAML.

    Raises:
        ConfigurationError: it isn't; the message names the file and what is wrong.
    """
    try:
        entries: object = yaml.load(content, Loader=yaml.CSafeLoader)  # as safe_load, ten times as fast
        if not isinstance(entries, list):
            raise ConfigurationError(f"rules/{name}: a list of rules is expected; see docs/report.md")
        return [Rule.model_validate(entry) for entry in cast("list[object]", entries)]
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"rules/{name} can't be used: {error}; see docs/report.md") from error
