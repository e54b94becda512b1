"""The wall on the way out: what may be kept of Claude's answer. References must exist, severities hold, prose is prose.

Whatever the model obeyed, nothing it wrote can name an indicator, lower a severity or hide a severe finding.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from pydantic import BaseModel, ValidationError

from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.page import Explained, Prose
from rustbucket_pipeline.analysis.rules import load_rules
from rustbucket_pipeline.analysis.severity import Severity

_LONGEST = {"summary": 1200, "title": 120, "why": 700, "recommendation": 400}
_RUN = 20
_SHORTEST_QUOTE = 8
_MOST_FINDINGS = 30
_MOST_RECOMMENDATIONS = 5

_ID = re.compile(r"\b(?!C2\b)[FIC]\d+\b")
"""Of a finding, an indicator or a cluster; C2 is what people call command and control."""

_TECHNIQUE = re.compile(r"\bT\d{4}(?:\.\d{3})?\b", re.IGNORECASE)
_TELLING = re.compile(r"(?=[A-Za-z0-9_-]*[A-Za-z])(?:[A-Za-z_-]*\d){2}[A-Za-z0-9_-]*")
"""A word with two digits and a letter: nobody writes it by chance."""

_PLAYED_DOWN = re.compile(
    r"\b(?:quiet|benign|harmless|all clear|false (?:alarm|positive)s?|no (?:incident|attack|threat|finding|issue)s?|"
    r"nothing (?:happened|new|unusual|to (?:do|report|see)))\b",
    re.IGNORECASE,
)
_TAKEN_SERIOUSLY = re.compile(r"\b(?:high|critical|sever|serious|urgent|danger|immediate)", re.IGNORECASE)
"""What a summary of severe findings that calls anything harmless has to say beside it."""

_TYPOGRAPHY = str.maketrans(
    {"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "\u00a0": " ", "\n": " "}
)
_DOT = r"\s*(?:\.|\[\s*\.\s*\]|\(\s*\.\s*\)|\[\s*dot\s*\]|\(\s*dot\s*\)|\sdot\s)\s*"
_FORBIDDEN = {
    "address": re.compile(
        rf"\d{{1,3}}(?:{_DOT}\d{{1,3}}){{3}}|(?:[0-9a-f]{{0,4}}:){{2,7}}[0-9a-f]{{0,4}}", re.IGNORECASE
    ),
    "link": re.compile(r"[a-z][a-z0-9+.-]{1,15}:/|\bh[tx]{2}ps?\b|\bwww\b|javascript:|data:", re.IGNORECASE),
    "domain": re.compile(
        r"(?<![a-z0-9_-])[a-z0-9_-]+(?:\.|\[\.\]|\(\.\)|\[dot\]|\(dot\)|\sdot\s)[a-z]{2,}", re.IGNORECASE
    ),
    "hash": re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-z])[0-9a-f]{12,}\b", re.IGNORECASE),
    "mention": re.compile(r"[@#]|<!"),
    "markup": re.compile(r"[<>`|*_\[\]{}\\]|&[a-z#0-9]+;", re.IGNORECASE),
    "template": re.compile(r"\$\(|\$\{|%\{"),
    "path": re.compile(r"(?:^|\s|[\"'(])/[a-z]|\.\./", re.IGNORECASE),
}


class _AnsweredFinding(BaseModel):
    title: str
    why: str
    severity: str
    evidence: list[str]
    indicators: list[str] = []


class _Answer(BaseModel):
    summary: str
    severity: str
    findings: list[_AnsweredFinding]
    recommendations: list[str] = []


@dataclass(frozen=True, slots=True)
class Verified:
    """What is left of an answer: None when nothing is. `flags` name what was wrong, in our words."""

    prose: Prose | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer is held against: the findings, the ids of the indicators shown, the canary, attackers' texts."""

    findings: Sequence[Finding]
    indicators: frozenset[str]
    canary: str
    quotes: frozenset[str] = frozenset()

    @property
    def severity(self) -> Severity:
        """The worst of the rules'."""
        return worst(finding.severity for finding in self.findings)


def quotes_of(texts: Iterable[str]) -> frozenset[str]:
    """What betrays a quote of one of the texts: every run of `_RUN` characters, short telling texts, telling words."""
    plain = [_flat(text) for text in texts]
    short = {text for text in plain if not text.isalpha()}
    short |= {word for text in plain for word in _TELLING.findall(text)}
    telling = {text for text in short if _SHORTEST_QUOTE <= len(text) < _RUN}
    return frozenset(telling.union(*(_runs(text) for text in plain)))


@cache
def known_techniques() -> frozenset[str]:
    """Every technique that a rule has, and what it is a part of."""
    known = [rule.technique for rule in load_rules() if rule.technique]
    return frozenset(known) | {technique.partition(".")[0] for technique in known}


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of them; info where there is none."""
    return max(severities, key=lambda severity: severity.rank, default=Severity.INFO)


def verify(text: str, ground: Ground) -> Verified:
    """What may be kept of the answer."""
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError:
        return Verified(None, ("the answer isn't of the shape asked for",))
    check = _Check(ground)
    if ground.canary in text:
        check.flags.append("the document was repeated")
    severity = check.severity(answer.severity, ground.severity)
    findings = [kept for found in answer.findings[:_MOST_FINDINGS] if (kept := check.finding(found))]
    recommendations = [check.prose(text, "recommendation") for text in answer.recommendations[:_MOST_RECOMMENDATIONS]]
    prose = Prose(
        summary=check.summary(answer.summary),
        severity=severity,
        findings=(*findings, *check.unmentioned(findings)),
        recommendations=tuple(filter(None, recommendations)),
    )
    return Verified(prose if prose.summary else None, tuple(dict.fromkeys(check.flags)))


def _flat(text: str) -> str:
    return " ".join(text.lower().split())


def _runs(text: str) -> set[str]:
    return {text[start : start + _RUN] for start in range(len(text) - _RUN + 1)}


def _is_quoting(plain: str, quotes: frozenset[str]) -> bool:
    flat = _flat(plain)
    return not quotes.isdisjoint(_runs(flat)) or any(quote in flat for quote in quotes if len(quote) < _RUN)


@dataclass(slots=True)
class _Check:
    """One answer being held against its ground; collects flags on the way."""

    ground: Ground
    flags: list[str] = field(default_factory=list[str])

    def prose(self, text: str, kind: str) -> str:
        """The text if it is plain English prose of bearable length (patterns see no longer one), else nothing."""
        if len(text) > _LONGEST[kind]:
            self.flags.append(f"length in a {kind}")
            return ""
        plain = " ".join(unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY)).split())
        problems = [name for name, pattern in _FORBIDDEN.items() if pattern.search(plain)]
        if not (plain.isascii() and plain.isprintable()):
            problems.append("characters")
        if _is_quoting(plain, self.ground.quotes):
            problems.append("a quote of attackers' text")
        if self.ground.canary in plain:
            problems.append("canary")
        problems += self._unknown_names(plain)
        self.flags += [f"{problem} in a {kind}" for problem in problems]
        return "" if problems else plain

    def summary(self, text: str) -> str:
        """The text, unless it plays severe findings down."""
        plain = self.prose(text, "summary")
        severe = self.ground.severity.rank >= Severity.HIGH.rank
        if severe and _PLAYED_DOWN.search(plain) and not _TAKEN_SERIOUSLY.search(plain):
            self.flags.append("severe findings played down in a summary")
            return ""
        return plain

    def _unknown_names(self, plain: str) -> Iterator[str]:
        """Whether it names a finding, an indicator or a technique that doesn't exist."""
        exist = {finding.id for finding in self.ground.findings} | self.ground.indicators
        if any(name not in exist for name in _ID.findall(plain)):
            yield "an id that doesn't exist"
        if any(name.upper() not in known_techniques() for name in _TECHNIQUE.findall(plain)):
            yield "a technique that no rule has"

    def severity(self, told: str, floor: Severity) -> Severity:
        """As told, but never below the rules' and at most one step above."""
        try:
            severity = Severity(told.lower())
        except ValueError:
            self.flags.append("a severity that doesn't exist")
            return floor
        if severity.rank < floor.rank:
            self.flags.append("a severity below the rules'")
            return floor
        if severity.rank > floor.next_up.rank:
            self.flags.append("a severity more than one step above the rules'")
            return floor.next_up
        return severity

    def finding(self, told: _AnsweredFinding) -> Explained | None:
        """What may be kept of one finding; None without evidence or words."""
        by_id = {finding.id: finding for finding in self.ground.findings}
        evidence = self._known(told.evidence, by_id.keys(), "evidence")
        indicators = self._known(told.indicators, self.ground.indicators, "indicator")
        if not evidence:
            self.flags.append("a finding without evidence")
            return None
        severity = self.severity(told.severity, worst(by_id[name].severity for name in evidence))
        title, why = self.prose(told.title, "title"), self.prose(told.why, "why")
        if not (title and why):
            return None
        return Explained(
            title=title, why=why, severity=severity, evidence=evidence, indicators=indicators, origin="claude"
        )

    def unmentioned(self, kept: Sequence[Explained]) -> list[Explained]:
        """The severe findings that the answer leaves out, put back in the rules' words."""
        mentioned = {name for explained in kept for name in explained.evidence}
        severe = [finding for finding in self.ground.findings if finding.severity.rank >= Severity.HIGH.rank]
        missing = [finding for finding in severe if finding.id not in mentioned]
        if missing:
            self.flags.append("a severe finding left out")
        return [
            Explained(
                title=finding.title,
                why=finding.why,
                severity=finding.severity,
                evidence=(finding.id,),
                indicators=(),
                origin="rule",
            )
            for finding in missing
        ]

    def _known(self, told: Sequence[str], known: Iterable[str], kind: str) -> tuple[str, ...]:
        exists = set(known)
        if any(name not in exists for name in told):
            self.flags.append(f"an {kind} id that doesn't exist")
        return tuple(dict.fromkeys(name for name in told if name in exists))
