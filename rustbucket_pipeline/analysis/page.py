"""The report of one window as it is stored and rendered: its shape (docs/report.md), not its making."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rustbucket_pipeline.analysis.contents import Baseline, Clusters, Indicator, Listing, Totals
from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.severity import Severity

SHAPE_VERSION = 2

ReportStatus = Literal["claude", "model-marked", "deterministic"]
"""Explained by Claude; explained, after parts of the answer were taken out; by rules alone."""


class Part(BaseModel):
    """Base: unchangeable, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Explained(Part):
    """Findings seen together. `origin` is `rule` where Claude didn't mention a severe one and it was put back."""

    title: str
    why: str
    severity: Severity
    evidence: tuple[str, ...]
    indicators: tuple[str, ...]
    origin: Literal["claude", "rule"]


class Prose(Part):
    """What Claude wrote, after verification. It decides nothing: the report's severities are the rules'."""

    summary: str
    severity: Severity
    findings: tuple[Explained, ...]
    recommendations: tuple[str, ...]


class ClaudeNote(Part):
    """What became of asking Claude. `retry`: another attempt may go better; `issues`: what verification took out."""

    outcome: str
    retry: bool = False
    model: str | None = None
    issues: tuple[str, ...] = ()


class Quoted(Part):
    """What a session of a cluster did, as the attacker wrote it, and the id of the session's first event."""

    cluster: str
    row: str
    text: str


class Excerpt(Part):
    """What is told of one rustbucket because it stands out: `reasons` are ours, `findings` and `clusters` the ids of
    what only it saw. Quotes aside, `text` says the same to people; in it attackers' text is escaped.
    """

    rustbucket: str
    severity: Severity
    reasons: tuple[str, ...]
    findings: tuple[str, ...]
    clusters: tuple[str, ...]
    events: int
    by_type: Mapping[str, int]
    quotes: tuple[Quoted, ...]
    text: str


class Report(Part):
    """One window's report. `clusters` has the first new ones; the tables have all of everything. Times are UTC."""

    version: int
    window: str
    start: datetime
    end: datetime
    status: ReportStatus
    severity: Severity
    headline: str
    completeness: str
    findings: tuple[Finding, ...]
    clusters: Clusters = Clusters()
    indicators: tuple[Indicator, ...]
    hidden_indicators: int
    excerpts: tuple[Excerpt, ...] = ()
    totals: Totals
    sources: Listing
    credentials: Listing
    commands: Listing
    paths: Listing
    quiet: tuple[str, ...]
    silent: tuple[str, ...]
    baseline: Baseline
    prose: Prose | None
    claude: ClaudeNote
    versions: dict[str, str]
