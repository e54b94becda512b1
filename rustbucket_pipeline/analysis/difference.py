"""Two windows' reports side by side: which findings are new, gone, graver, milder or of other size; what else is new.

Findings are compared by their rules, behaviours by fingerprint, indicators by value. Counts come from the tables.
"""

from collections.abc import Iterator
from typing import Literal

from sqlalchemy import Connection, Row

from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.page import Part, Report
from rustbucket_pipeline.analysis.render import Line
from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.storage.postgres import load_sql

FACTOR = 2
"""A finding of twice as many events, or half, has risen, or fallen."""

Change = Literal["new", "gone", "graver", "milder", "risen", "fallen"]


class Changed(Part):
    """One rule's findings in the two windows; `before` and `after` are their ids, None where it is silent."""

    change: Change
    rule: str
    title: str
    before: str | None
    after: str | None
    severity_before: Severity | None
    severity_after: Severity | None
    events_before: int
    events_after: int


class Sides(Part):
    """How many values only the earlier, only the later, and both windows hold."""

    gone: int
    new: int
    both: int


class Difference(Part):
    """What the later report says that the earlier didn't, and the other way round."""

    before: str
    after: str
    severity_before: Severity
    severity_after: Severity
    events_before: int
    events_after: int
    findings: tuple[Changed, ...]
    indicators: Sides
    behaviours: Sides


def difference(connection: Connection, before: Report, after: Report) -> Difference:
    """Compare two stored reports, the earlier one first."""
    span = {"before": before.start, "after": after.start}
    sides = {
        row.what: _sides(row) for row in connection.execute(load_sql("rustbucket_pipeline.analysis", "sides"), span)
    }
    return Difference(
        before=before.window,
        after=after.window,
        severity_before=before.severity,
        severity_after=after.severity,
        events_before=before.totals.events,
        events_after=after.totals.events,
        findings=tuple(_changes(before, after)),
        indicators=sides["indicators"],
        behaviours=sides["behaviours"],
    )


def lines_of_difference(found: Difference) -> Iterator[Line]:
    """For people: the worst news first."""
    new = [one for one in found.findings if one.change == "new"]
    worst = f"{len(new)} new findings" if new else "no new finding"
    yield Line(f"{found.after} against {found.before}: {worst}", "headline")
    yield Line(f"severity {found.severity_after} (was {found.severity_before})", "dim")
    yield Line(f"events {found.events_after:,} (were {found.events_before:,})", "dim")
    for one in found.findings:
        severity = one.severity_after or one.severity_before or Severity.INFO
        yield Line(f"  {one.change:<7} {_severities(one):<18} {one.title} · rule {one.rule}", severity.value)
        places = [
            f"{window}/{which}" for window, which in ((found.before, one.before), (found.after, one.after)) if which
        ]
        yield Line(f"          events: {one.events_before:,} → {one.events_after:,} · {', '.join(places)}", "dim")
    for name, sides in (("indicators", found.indicators), ("behaviours", found.behaviours)):
        yield Line(f"{name}: {sides.new:,} new, {sides.gone:,} gone, {sides.both:,} in both")


def _severities(one: Changed) -> str:
    named = [severity.value.upper() for severity in (one.severity_before, one.severity_after) if severity]
    return " → ".join(dict.fromkeys(named))


def _changes(before: Report, after: Report) -> Iterator[Changed]:
    """What differs, as the later report orders it; what is gone comes last."""
    old = {finding.rule: finding for finding in before.findings}
    later = {finding.rule: finding for finding in after.findings}
    for rule, finding in (later | {name: one for name, one in old.items() if name not in later}).items():
        was, now = old.get(rule), later.get(rule)
        change = _change(was, now)
        if change:
            yield Changed(
                change=change,
                rule=rule,
                title=finding.title,
                before=was.id if was else None,
                after=now.id if now else None,
                severity_before=was.severity if was else None,
                severity_after=now.severity if now else None,
                events_before=was.events if was else 0,
                events_after=now.events if now else 0,
            )


def _change(was: Finding | None, now: Finding | None) -> Change | None:
    if was is None or now is None:
        return "new" if was is None else "gone"
    if was.severity is not now.severity:
        return "graver" if now.severity.rank > was.severity.rank else "milder"
    if now.events >= was.events * FACTOR:
        return "risen"
    return "fallen" if now.events * FACTOR <= was.events else None


def _sides(row: Row[tuple[str, int, int, int]]) -> Sides:
    return Sides(gone=row.gone, new=row.new, both=row.both)
