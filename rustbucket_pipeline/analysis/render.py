"""A report as lines for a terminal or a pipe: first what is new, how bad, what to do; last for whom it speaks.

Attackers' text passes `visible` and stands alone, never inside our sentences. Styles are names, not colours.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from rustbucket_pipeline.analysis.contents import Change, Cluster, Counted, Indicator, Listing
from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.neutralise import visible
from rustbucket_pipeline.analysis.page import Explained, Report
from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.model.window import FOUR_HOURS, Window

Style = Literal["plain", "headline", "section", "dim", "info", "low", "medium", "high", "critical"]

_NAMED = 6
_WIDTH = 90


class Line(NamedTuple):
    """One line and how it is meant."""

    text: str
    style: Style = "plain"


def lines_of(report: Report, said: str = "") -> Iterator[Line]:
    """The report, line by line. `said`: when it was said, and by which revision."""
    yield Line(report.headline, "headline")
    about = (f"Window {Window(report.start, FOUR_HOURS)}", f"severity {report.severity}", report.status, said)
    yield Line(" · ".join(part for part in about if part), "dim")
    yield from _prose(report)
    yield from _findings(report)
    yield from _clusters(report)
    yield from _excerpts(report)
    yield from _indicators(report)
    yield from _section("Totals")
    yield from figures_of(report)
    for title, listing in listings_of(report):
        yield from _listing(title, listing)
    yield from _silences(report)
    yield Line("")
    yield Line(f"Claude: {report.claude.outcome}{_model(report)}")
    for issue in report.claude.issues:
        yield Line(f"  taken out: {issue}", "dim")
    yield Line(f"Follow an id down to the bytes: rustbucket trace {report.window}/F1, or a row's id alone", "dim")
    yield Line(report.completeness)


def text_of(report: Report) -> str:
    """The report as plain text."""
    return "\n".join(line.text for line in lines_of(report)) + "\n"


def _prose(report: Report) -> Iterator[Line]:
    if report.prose is None:
        return
    yield from _section("Claude explains")
    yield Line(f"  {report.prose.summary}")
    for explained in report.prose.findings:
        yield from _explained(explained)
    for number, recommendation in enumerate(report.prose.recommendations, start=1):
        yield Line(f"  {number}. {recommendation}")


def _explained(explained: Explained) -> Iterator[Line]:
    ids = ", ".join((*explained.evidence, *explained.indicators))
    added = " (added by rule: the model did not mention it)" if explained.origin == "rule" else ""
    yield Line(f"  {explained.severity.value.upper()} {explained.title} [{ids}]{added}", explained.severity.value)
    yield Line(f"    {explained.why}")


def _findings(report: Report) -> Iterator[Line]:
    yield from _section("Findings")
    if not report.findings:
        yield Line("  none")
    for finding in report.findings:
        yield from _finding(finding)


def _finding(finding: Finding) -> Iterator[Line]:
    known = "".join(f" · {name}" for name in (finding.technique, *finding.cve) if name)
    title = f"  {finding.id:<4}{finding.severity.value.upper():<9}{finding.title}{known} · rule {finding.rule}"
    yield Line(title, finding.severity.value)
    yield Line(f"      {finding.why}")
    yield Line(f"      {finding.first:%H:%M:%S}–{finding.last:%H:%M:%S} at {some(finding.rustbuckets)}")
    for example in finding.examples:
        yield Line(f"      | {visible(example)}")
    yield Line(f"      do: {finding.advice}")
    more = f" and {finding.events - 1:,} more" if finding.events > 1 else ""
    yield Line(f"      rows: {finding.rows[0]}{more}", "dim")


def _clusters(report: Report) -> Iterator[Line]:
    clusters = report.clusters
    if not clusters.total:
        return
    yield from _section("New behaviour")
    for cluster in clusters.rows:
        yield from _cluster(cluster)
    yield Line(
        f"  {clusters.total:,} behaviours in {clusters.sessions:,} sessions, {clusters.new:,} of them new; "
        "all in the view `report_clusters`",
        "dim",
    )


def _cluster(cluster: Cluster) -> Iterator[Line]:
    least = "at least " if cluster.at_least else ""
    counts = f"sessions: {least}{cluster.sessions:,}, sources: {cluster.sources:,}, rustbuckets: {cluster.rustbuckets}"
    rules = f" · {', '.join(cluster.rules)}" if cluster.rules else ""
    severity = Severity(cluster.severity)
    yield Line(f"  {cluster.id:<6}{cluster.protocol or 'unknown'} · {counts}{rules}", severity.value)
    for example in cluster.examples:
        yield Line(f"      | {visible(example)}")
    yield Line(f"      rows: {cluster.rows[0]}", "dim")


def _excerpts(report: Report) -> Iterator[Line]:
    if report.excerpts:
        yield from _section("Rustbuckets that stand out")
    for excerpt in report.excerpts:
        yield Line(f"  {excerpt.rustbucket}: {'; '.join(excerpt.reasons)}", excerpt.severity.value)
        for quote in excerpt.quotes:
            yield Line(f"      {quote.cluster} | {visible(quote.text)}")
            yield Line(f"      rows: {quote.row}", "dim")


def _indicators(report: Report) -> Iterator[Line]:
    yield from _section("Indicators")
    if not report.indicators:
        yield Line("  none")
    for indicator in report.indicators:
        yield Line(_indicator(indicator))
    if report.hidden_indicators:
        yield Line(f"  {report.hidden_indicators:,} more in the view `report_indicators`", "dim")


def _indicator(indicator: Indicator) -> str:
    new = "new" if indicator.is_new else "   "
    counts = f"events: {indicator.events:,}, rustbuckets: {indicator.rustbuckets:,}, from {indicator.first_seen:%H:%M}"
    return f"  {indicator.id:<6}{new} {indicator.type:<5}{visible(indicator.value, 100)}  ({counts})"


def figures_of(report: Report) -> Iterator[Line]:
    """Sums of the window, and what is far from the usual."""
    totals = report.totals
    yield Line(
        f"  {totals.events:,} events from {totals.sources:,} known sources at {totals.rustbuckets:,} rustbuckets; "
        f"{totals.quarantined:,} quarantined, {totals.low_trust:,} not believed, "
        f"{totals.archived_bytes:,} bytes archived"
    )
    for name, counts in (("by type", totals.by_type), ("by protocol", totals.by_protocol)):
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if ordered:
            yield Line(f"  {name}: " + ", ".join(f"{key} {count:,}" for key, count in ordered))
    yield from (_change(change) for change in report.baseline.changes)


def _change(change: Change) -> Line:
    return Line(f"  unusual: {change.what} {change.events:,}, usually {change.usual:,.0f} in four hours")


def listings_of(report: Report) -> tuple[tuple[str, Listing], ...]:
    """The lists of values, by their titles."""
    return (
        ("Sources", report.sources),
        ("Credentials", report.credentials),
        ("Commands", report.commands),
        ("Paths", report.paths),
    )


def _listing(title: str, listing: Listing) -> Iterator[Line]:
    if not listing.rows:
        return
    yield from _section(title)
    yield from (Line(_counted(row)) for row in listing.rows)
    if listing.hidden_values:
        yield Line(
            f"  not shown: {listing.hidden_values:,} ({listing.hidden_new:,} of them new), "
            f"{listing.hidden_events:,} events",
            "dim",
        )


def _counted(row: Counted) -> str:
    value = visible(row.value, _WIDTH)
    if row.second is not None:
        value = f"{value} / {visible(row.second, _WIDTH)}"
    return f"  {row.events:>7,}  {'new' if row.is_new else '   '}  {value}"


def _silences(report: Report) -> Iterator[Line]:
    if report.silent:
        yield from _section("Silent: nothing came, and nothing later proves that all was quiet")
        yield Line(f"  {some(report.silent)}")
    if report.quiet:
        yield from _section("Quiet: nothing happened there, as later records prove")
        yield Line(f"  {some(report.quiet)}")


def _section(title: str) -> Iterator[Line]:
    yield Line("")
    yield Line(title, "section")


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _model(report: Report) -> str:
    return f" ({visible(report.claude.model, 60)})" if report.claude.model else ""
