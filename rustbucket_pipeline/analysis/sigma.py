"""Our rules as Sigma rules, for tools that search logs of others: the same patterns, fields named as in ECS.

Only rules that look at a text can be said in Sigma; thresholds stand in the description.
"""

import uuid
from collections.abc import Iterable, Sequence

import yaml

from rustbucket_pipeline.analysis.rules import FieldName, Match, Rule, expanded

_NAMESPACE = uuid.UUID("6f1f6f0e-6f0b-5d1c-9a55-1d0b0c0f9a11")
_FIELDS = {
    FieldName.COMMAND: "process.command_line",
    FieldName.PATH: "url.original",
    FieldName.REQUEST: "http.request.body.content",
    FieldName.USERNAME: "user.name",
    FieldName.PASSWORD: "user.password",
    FieldName.CREDENTIAL: "user.credential",
    FieldName.RECIPIENT: "email.to.address",
    FieldName.MESSAGE: "message",
    FieldName.ANY: "event.original",
}
_CATEGORIES = {"command": "process_creation", "request": "webserver", "authentication": "authentication"}
_LEVELS = {"info": "informational"}


def sigma_rules(rules: Iterable[Rule]) -> str:
    """YAML documents, one per rule that looks at a text."""
    documents = [_document(rule) for rule in rules if rule.match.wanted]
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=120)


def _document(rule: Rule) -> dict[str, object]:
    parts = _selections(rule.match)
    tags = [f"attack.{rule.technique.lower()}"] if rule.technique else []
    return {
        "title": rule.title,
        "id": str(uuid.uuid5(_NAMESPACE, rule.id)),
        "name": rule.id,
        "status": "test",
        "description": f"{rule.advice.strip()}{_counted(rule)}",
        "references": [rule.source],
        "tags": [*tags, *(f"cve.{cve.removeprefix('CVE-')}" for cve in rule.cve)],
        "logsource": {"product": "rustbucket", "category": _CATEGORIES.get(rule.match.event_types[0], "honeypot")},
        "detection": {**parts, "condition": _condition(parts)},
        "level": _LEVELS.get(rule.severity.value, rule.severity.value),
    }


def _selections(match: Match) -> dict[str, object]:
    field = _FIELDS[match.field]
    found: dict[str, object] = {
        name: {f"{field}|{modifier}": _patterns(patterns)}
        for name, modifier, patterns in (
            ("all", "re|i|all", match.all_of),
            ("any", "re|i", match.any_of),
            ("filter", "re|i", match.none_of),
        )
        if patterns
    }
    if match.protocols:
        found["protocol"] = {"network.protocol": list(match.protocols)}
    return found


def _patterns(patterns: Sequence[str]) -> list[str]:
    return [expanded(pattern) for pattern in patterns]


def _condition(parts: Iterable[str]) -> str:
    return " and ".join(f"not {name}" if name == "filter" else name for name in parts)


def _counted(rule: Rule) -> str:
    if rule.at_least.is_one:
        return ""
    least = rule.at_least
    return f" At least {least.events} events, {least.texts} texts, {least.rustbuckets} rustbuckets, by {rule.per}."
