"""Rustbuckets whose behaviour stands out in a window, each with an excerpt of what happened there. By rules alone.

One stands out by a finding or a severe new behaviour that no other rustbucket saw, or by far more events than the
others. Where fewer than two told anything there is nothing to stand out from.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row

from rustbucket_pipeline.analysis.contents import LONGEST_TEXT
from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.neutralise import visible
from rustbucket_pipeline.analysis.page import Excerpt, Quoted
from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import load_sql

MOST_EXCERPTS = 20
MOST_QUOTES = 5
MOST_CLUSTERS = 2000
"""Clusters looked at: a flood of new ones costs no more."""

BUSY_FACTOR = 4
BUSY_EVENTS = 100
"""Far more events: this many times the median of the rustbuckets that told any, and this many more."""

_PACKAGE = "rustbucket_pipeline.analysis"
_SEVERE = [severity for severity in Severity if severity.rank >= Severity.MEDIUM.rank]


def excerpts_of(connection: Connection, window: Window, findings: Sequence[Finding]) -> tuple[Excerpt, ...]:
    """The excerpts of a judged window, the worst first, among equals the busiest."""
    by_type = _events(connection, window)
    if len(by_type) < 2:
        return ()
    usual = median(sum(types.values()) for types in by_type.values())
    own = _own_findings(findings)
    behaviours = _own_behaviours(connection, window)
    found = [
        excerpt
        for rustbucket, types in by_type.items()
        if (excerpt := _excerpt(rustbucket, types, usual, own[rustbucket], behaviours[rustbucket]))
    ]
    found.sort(key=lambda one: (-one.severity.rank, -one.events, one.rustbucket))
    return tuple(found[:MOST_EXCERPTS])


def _excerpt(
    rustbucket: str, types: Mapping[str, int], usual: float, findings: Sequence[Finding], behaviours: Sequence[Row[Any]]
) -> Excerpt | None:
    """None: it doesn't stand out."""
    events = sum(types.values())
    reasons = tuple(_reasons(events, usual, findings, behaviours))
    if not reasons:
        return None
    severities = [finding.severity for finding in findings] + [Severity(row.severity) for row in behaviours]
    severity = max(severities, key=lambda one: one.rank, default=Severity.INFO)
    quotes = tuple(_quotes(behaviours))
    lines = (
        f"{rustbucket} stands out ({severity.value}): {'; '.join(reasons)}.",
        f"Events: {events:,} ({', '.join(f'{kind} {count:,}' for kind, count in types.items())}).",
        *(f"{finding.id} {finding.severity.value} {finding.title}: {finding.why}" for finding in findings),
        *(f"{quote.cluster} | {visible(quote.text)}" for quote in quotes),
    )
    return Excerpt(
        rustbucket=rustbucket,
        severity=severity,
        reasons=reasons,
        findings=tuple(finding.id for finding in findings),
        clusters=tuple(row.cluster_id for row in behaviours[:MOST_EXCERPTS]),
        events=events,
        by_type=types,
        quotes=quotes,
        text="\n".join(lines),
    )


def _reasons(events: int, usual: float, findings: Sequence[Finding], behaviours: Sequence[Row[Any]]) -> Iterator[str]:
    if findings:
        yield f"found here only: {', '.join(finding.id for finding in findings)}"
    if behaviours:
        yield f"new severe behaviours seen here only: {len(behaviours)}"
    if events >= usual * BUSY_FACTOR and events - usual >= BUSY_EVENTS:
        yield f"{events / max(usual, 1):.1f} times the events that half of the rustbuckets have at most"


def _own_findings(findings: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    own = defaultdict[str, list[Finding]](list)
    for finding in findings:
        if len(finding.rustbuckets) == 1 and finding.severity in _SEVERE:
            own[finding.rustbuckets[0]].append(finding)
    return own


def _own_behaviours(connection: Connection, window: Window) -> Mapping[str, list[Row[Any]]]:
    own = defaultdict[str, list[Row[Any]]](list)
    asked = {"start": window.start, "end": window.end, "most": MOST_CLUSTERS, "severities": list(_SEVERE)}
    for row in connection.execute(load_sql(_PACKAGE, "own_behaviours"), asked):
        own[row.rustbucket_id].append(row)
    return own


def _quotes(behaviours: Sequence[Row[Any]]) -> Iterator[Quoted]:
    for row in behaviours[:MOST_QUOTES]:
        for line in (*row.command_lines, *row.request_lines)[:1]:
            yield Quoted(cluster=row.cluster_id, row=row.event_id, text=line[:LONGEST_TEXT])


def _events(connection: Connection, window: Window) -> Mapping[str, dict[str, int]]:
    """Events of each rustbucket that told any, by type, the commonest first."""
    told = defaultdict[str, Counter[str]](Counter)
    for row in connection.execute(load_sql(_PACKAGE, "activity"), {"start": window.start, "end": window.end}):
        told[row.rustbucket_id][row.event_type or "unknown"] += row.events
    return {rustbucket: dict(types.most_common()) for rustbucket, types in sorted(told.items())}
