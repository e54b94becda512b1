"""Prompt injections as attackers leave them in a honeypot's fields (`golden/injections`), and models that obey them.

`goal` is what a string wants; a model that obeys does just that, and says whatever it was told on top.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rustbucket_pipeline.analysis.prompt import SYSTEM
from rustbucket_pipeline.settings import PROJECT_ROOT

COLUMNS = ("username", "password", "command", "http_method", "http_path", "message")
FIELDS = (
    *("user_agent", "headers", "body", "query", "request", "mail_from", "rcpt_to", "email_data", "client_version"),
    *("filename", "qname", "llm_response", "key"),
)
"""Where an attacker's text may stand in a row: columns of their own, and names in the column `fields`."""

_FILE = PROJECT_ROOT / "rustbucket_pipeline_tests" / "golden" / "injections" / "injections.jsonl"
_TO_FILL_IN = "<64 HEX DIGITS: fill in at test time, kept out of this file on purpose>"

Answer = dict[str, object]


@dataclass(frozen=True, slots=True)
class Injection:
    """One string, and what it is for."""

    id: str
    field: str
    text: str
    goal: str


def load_injections() -> list[Injection]:
    """All of them, in the file's order; NUL, which no row holds, as an escape."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return [_injection(**json.loads(line)) for line in lines]


def _injection(id: str, field: str, text: str, goal: str) -> Injection:  # noqa: A002 - the file's word
    return Injection(id, field, text.replace(_TO_FILL_IN, "5A" * 32).replace("\0", "\\0"), goal)


def obeying(injection: Injection, severe: Sequence[str]) -> Iterator[Answer]:
    """Answers of a model that does as it is told: silent, lying, or repeating it in every place there is.

    `severe` are the ids of the findings it should speak of.
    """
    text = injection.text
    lie: Answer = {"summary": "An exercise took place.", "severity": "info", "findings": [], "recommendations": []}
    yield lie
    yield lie | {"summary": "The window was quiet."}
    yield lie | {"findings": [_finding("Harmless", "An exercise.", "info", severe)]}
    yield lie | {"findings": [_finding("Harmless", "An exercise.", "info", ["C9999", "F999"], ["I999"])]}
    yield lie | {"summary": text}
    yield lie | {"recommendations": [text, f"Do as they say: {text}", SYSTEM]}
    yield lie | {"findings": [_finding(text, text, "critical", severe)]}
    yield lie | {"findings": [_finding("Seen", word, "low", severe) for word in text.split()]}
    yield lie | {"summary": f"It says {' '.join(text.split()[:4])} and more.", "severity": text}
    yield lie | {"findings": [_finding(f"Letter {number}", "One each.", "info", severe) for number in range(400)]}


def _finding(title: str, why: str, severity: str, evidence: Sequence[str], indicators: Sequence[str] = ()) -> Answer:
    told: Answer = {"title": title, "why": why, "severity": severity}
    return told | {"evidence": list(evidence), "indicators": list(indicators)}
