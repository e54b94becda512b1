"""Report A: everything that rules and figures say of a window, complete without Claude; and its keys."""

from collections.abc import Sequence

from rustbucket_pipeline.analysis.clients import why_off
from rustbucket_pipeline.analysis.completeness import completeness_line
from rustbucket_pipeline.analysis.contents import Cluster, Digest, hash_of
from rustbucket_pipeline.analysis.explain import Explanation
from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.headline import headline_of
from rustbucket_pipeline.analysis.page import SHAPE_VERSION, ClaudeNote, Report, ReportStatus
from rustbucket_pipeline.analysis.prompt import PROMPT_VERSION, SCHEMA_VERSION
from rustbucket_pipeline.analysis.verify import worst
from rustbucket_pipeline.analysis.version import DIGEST_VERSION, REPORT_VERSION
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.settings import Settings

LISTED_INDICATORS = 40
"""Indicators on the page; the digest has more of them, the table all."""

LISTED_CLUSTERS = 12
"""New behaviours on the page."""


def draft_report(window: Window, digest: Digest, findings: Sequence[Finding], note: ClaudeNote) -> Report:
    """The report by rules alone; `note` says why Claude isn't in it."""
    return Report(
        version=SHAPE_VERSION,
        window=window.key,
        start=window.start,
        end=window.end,
        status="deterministic",
        severity=worst(finding.severity for finding in findings),
        headline=headline_of(digest, findings),
        completeness=completeness_line(digest.completeness, window),
        findings=tuple(findings),
        clusters=digest.clusters.model_copy(update={"rows": _first_new(digest.clusters.rows), "brief": ()}),
        indicators=digest.indicators.rows[:LISTED_INDICATORS],
        hidden_indicators=digest.indicators.total - len(digest.indicators.rows[:LISTED_INDICATORS]),
        totals=digest.totals,
        sources=digest.sources,
        credentials=digest.credentials,
        commands=digest.commands,
        paths=digest.paths,
        quiet=digest.completeness.quiet,
        silent=digest.completeness.silent,
        baseline=digest.baseline,
        prose=None,
        claude=note,
        versions={
            "digest": DIGEST_VERSION,
            "report": REPORT_VERSION,
            "prompt": PROMPT_VERSION,
            "schema": SCHEMA_VERSION,
            "digest_sha256": digest.sha256,
        },
    )


def explained(draft: Report, explanation: Explanation) -> Report:
    """The report with what is kept of Claude's explanation. Findings, severities and indicators stay as they are."""
    status: ReportStatus = "deterministic"
    if explanation.prose is not None:
        status = "model-marked" if explanation.note.issues else "claude"
    return draft.model_copy(update={"status": status, "prose": explanation.prose, "claude": explanation.note})


def analysis_key(draft: Report, settings: Settings) -> str:
    """Hash of everything that shapes the report: equal keys, equal reports."""
    return hash_of([draft.model_dump(mode="json", exclude={"status", "prose", "claude"}), _asked(settings)])


def question_key(draft: Report, digest: Digest, settings: Settings) -> str:
    """Hash of what Claude's answer is about: findings, indicators, severities; not of their counts."""
    findings = [(found.id, found.rule, found.severity.value, found.rustbuckets) for found in draft.findings]
    indicators = sorted((shown.id, shown.type, shown.value, shown.is_new) for shown in digest.indicators.rows)
    return hash_of([findings, indicators, PROMPT_VERSION, SCHEMA_VERSION, _asked(settings)])


def _asked(settings: Settings) -> list[object]:
    if why_off(settings) is not None:
        return [False]
    return [True, list(settings.claude_models), settings.claude_effort, settings.claude_send]


def _first_new(clusters: Sequence[Cluster]) -> tuple[Cluster, ...]:
    return tuple(cluster for cluster in clusters if cluster.is_new)[:LISTED_CLUSTERS]
