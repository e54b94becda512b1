"""Reports as they are kept: by window and revision, none ever changed; written when they say anything new, read back.

`as of` a time is the newest revision that was there then: what we said, and knowing what.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from rustbucket_pipeline.analysis.explain import Explanation
from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.analysis_tables import findings as findings_table
from rustbucket_pipeline.storage.analysis_tables import log_analyses, report_excerpts


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored report. `revisions`: how many the window has by now; tokens and `cost_usd` are this revision's own."""

    report: Report
    revision: int
    revisions: int
    made_at: datetime
    model: str | None
    request_ids: tuple[str, ...]
    tokens_in: int
    tokens_out: int
    cost_usd: float


def kept_report(connection: Connection, window: Window | None, as_of: datetime | None = None) -> Kept | None:
    """The newest revision of the window's report, or of the newest reported window; None when there is none.

    `as_of`: as of that moment, later revisions unknown.
    """
    row = newest_revision(connection, window, as_of)
    if row is None:
        return None
    same = log_analyses.c.window_start == row.window_start
    usage: dict[str, int] = row.usage or {}
    return Kept(
        report=Report.model_validate(row.report),
        revision=row.revision,
        revisions=connection.execute(select(func.max(log_analyses.c.revision)).where(same)).scalar_one(),
        made_at=row.created_at,
        model=row.model,
        request_ids=tuple(row.request_ids),
        tokens_in=usage.get("tokens_in", 0),
        tokens_out=usage.get("tokens_out", 0),
        cost_usd=float(row.cost_usd),
    )


def stored_report(connection: Connection, window: Window | None) -> Report | None:
    """The newest revision of the window's report, or of the newest reported window; None when there is none."""
    kept = kept_report(connection, window)
    return None if kept is None else kept.report


def newest_revision(connection: Connection, window: Window | None, as_of: datetime | None = None) -> Row[Any] | None:
    """The row of the window's newest revision (as of then); without a window, that of the newest reported one."""
    query = select(log_analyses).order_by(log_analyses.c.window_start.desc(), log_analyses.c.revision.desc()).limit(1)
    if window is not None:
        query = query.where(log_analyses.c.window_start == window.start)
    if as_of is not None:
        query = query.where(log_analyses.c.created_at <= as_of)
    return connection.execute(query).one_or_none()


def summary_of(report: Report) -> str:
    """What is said of it in few lines: Claude's summary, else the headline."""
    return report.prose.summary if report.prose else report.headline


def store(
    connection: Connection,
    newest: Row[Any] | None,
    report: Report,
    explanation: Explanation,
    keys: tuple[str, str],
    now: datetime,
) -> tuple[int, bool]:
    """Write a new revision if the report differs from the newest; its number, and whether it is new.

    `keys`: the hash of all that shapes the report, and of what Claude is asked.
    """
    document = report.model_dump(mode="json")
    if newest is not None and newest.report == document:
        _add_attempt(connection, newest, explanation, keys)
        return newest.revision, False
    revision = 1 if newest is None else newest.revision + 1
    connection.execute(
        log_analyses.insert().values(
            window_start=report.start,
            revision=revision,
            analysis_key=keys[0],
            question_key=keys[1],
            digest_sha256=report.versions["digest_sha256"],
            status=report.status,
            severity=report.severity.value,
            summary=summary_of(report),
            completeness=report.completeness,
            report=document,
            model=report.claude.model,
            request_ids=list(explanation.request_ids),
            usage={"tokens_in": explanation.tokens_in, "tokens_out": explanation.tokens_out},
            cost_usd=explanation.cost,
            created_at=now,
        )
    )
    _store_findings(connection, report, revision)
    _store_excerpts(connection, report, revision)
    return revision, True


def _add_attempt(connection: Connection, newest: Row[Any], explanation: Explanation, keys: tuple[str, str]) -> None:
    """Another attempt that left the report as it was still costs what it costs."""
    before: dict[str, int] = newest.usage or {}
    tokens = {"tokens_in": explanation.tokens_in, "tokens_out": explanation.tokens_out}
    same = log_analyses.c.window_start == newest.window_start, log_analyses.c.revision == newest.revision
    connection.execute(
        update(log_analyses)
        .where(*same)
        .values(
            cost_usd=newest.cost_usd + explanation.cost,
            usage={name: before.get(name, 0) + count for name, count in tokens.items()},
            request_ids=[*newest.request_ids, *explanation.request_ids],
            analysis_key=keys[0],
            question_key=keys[1],
        )
    )


def _store_findings(connection: Connection, report: Report, revision: int) -> None:
    rows = [
        {
            "window_start": report.start,
            "revision": revision,
            "finding_id": finding.id,
            "rule": finding.rule,
            "title": finding.title,
            "severity": finding.severity.value,
            "technique": finding.technique,
            "why": finding.why,
            "events": finding.events,
            "event_ids": list(finding.rows),
            "rustbuckets": list(finding.rustbuckets),
        }
        for finding in report.findings
    ]
    if rows:
        connection.execute(findings_table.insert(), rows)


def _store_excerpts(connection: Connection, report: Report, revision: int) -> None:
    rows = [
        {
            "window_start": report.start,
            "revision": revision,
            "number": number,
            "rustbucket_id": excerpt.rustbucket,
            "severity": excerpt.severity.value,
            "excerpt": excerpt.text,
        }
        for number, excerpt in enumerate(report.excerpts, start=1)
    ]
    if rows:
        connection.execute(report_excerpts.insert(), rows)
