"""The report of one window as it is stored and rendered: its shape (docs/report.md), not its making."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rustbucket_pipeline.analysis.contents import Baseline, Clusters, Indicator, Listing, Totals
from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.severity import Severity

SHAPE_VERSION = 1

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
