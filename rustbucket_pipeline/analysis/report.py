"""One window's report: findings by rule, Claude's words if to be had, kept by revision. The asset `log_analysis`.

A lock per window makes two runs one call; a window in which nothing changed that Claude is asked about costs nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from rustbucket_pipeline.analysis.budget import Ledger
from rustbucket_pipeline.analysis.claude import Pace
from rustbucket_pipeline.analysis.contents import Digest, hash_of
from rustbucket_pipeline.analysis.digest import digest_of
from rustbucket_pipeline.analysis.draft import analysis_key, draft_report, explained, question_key
from rustbucket_pipeline.analysis.explain import Explanation, explain
from rustbucket_pipeline.analysis.findings import find
from rustbucket_pipeline.analysis.page import ClaudeNote, Report
from rustbucket_pipeline.analysis.reuse import stored_explanation
from rustbucket_pipeline.analysis.version import REPORT_VERSION
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, Window, window_at
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import findings as findings_table
from rustbucket_pipeline.storage.analysis_tables import log_analyses, window_digests
from rustbucket_pipeline.storage.builds import Build, inputs_version, record_build
from rustbucket_pipeline.storage.canary import note_reported
from rustbucket_pipeline.storage.closed_days import require_open
from rustbucket_pipeline.storage.postgres import advisory_lock
from rustbucket_pipeline.storage.tables import log_events

ASSET = "log_analysis"
NOT_NOW = "not asked (a report made at once is made without Claude)"


@dataclass(frozen=True, slots=True)
class AnalysisOutcome:
    """What reporting one window came to. Tokens and cost (US dollars) are this run's.

    `changed`: there is a new revision. `output_version`: the report's hash.
    """

    window: Window
    revision: int
    changed: bool
    status: str
    severity: str
    headline: str
    completeness: str
    findings: int
    claude: str
    tokens_in: int
    tokens_out: int
    cost_usd: float
    output_version: str


def build_analysis(
    engine: Engine,
    settings: Settings,
    window: Window,
    now: datetime,
    run_id: str | None,
    pace: Pace = Pace(),  # noqa: B008 - frozen
) -> AnalysisOutcome:
    """Report the window from its digest and store the report if it says anything new, in one transaction.

    Raises:
        UsageError: the window has no digest yet, or is frozen or expired (`WindowClosed`).
    """
    with engine.begin() as connection:
        advisory_lock(connection, f"{ASSET} {window.key}")
        require_open(connection, [window])
        inputs = inputs_version(connection, ASSET, window, REPORT_VERSION)
        digest = stored_digest(connection, window)
        draft = draft_report(window, digest, find(connection, window), ClaudeNote(outcome="not asked"))
        newest = newest_revision(connection, window)
        key, question = analysis_key(draft, settings), question_key(draft, digest, settings)
        explanation = stored_explanation(connection, newest, window, key, question)
        if explanation is None:
            explanation = explain(settings, digest, draft.findings, Ledger(engine, settings, window, now), pace)
        report = explained(draft, explanation)
        revision, changed = _store(connection, newest, report, explanation, key, question, now)
        output = hash_of(report.model_dump(mode="json"))
        record_build(connection, Build(ASSET, window, inputs, output, REPORT_VERSION, run_id), now)
        note_reported(connection, window, now)
    return AnalysisOutcome(
        window=window,
        revision=revision,
        changed=changed,
        status=report.status,
        severity=report.severity.value,
        headline=report.headline,
        completeness=report.completeness,
        findings=len(report.findings),
        claude=report.claude.outcome,
        tokens_in=explanation.tokens_in,
        tokens_out=explanation.tokens_out,
        cost_usd=float(explanation.cost),
        output_version=output,
    )


def stored_report(connection: Connection, window: Window | None) -> Report | None:
    """The newest revision of the window's report, or of the newest reported window; None when there is none."""
    row = newest_revision(connection, window)
    return None if row is None else Report.model_validate(row.report)


def report_at_once(connection: Connection, window: Window) -> Report:
    """The window's report from the rows at hand, without waiting, storing or asking. For a transaction to roll back."""
    digest = digest_of(connection, window)
    return draft_report(window, digest, find(connection, window), ClaudeNote(outcome=NOT_NOW))


def newest_window_with_rows(connection: Connection, now: datetime) -> Window:
    """The 4-hour window of the newest row that isn't in the future; the one in progress when there are no rows."""
    newest = connection.execute(
        select(log_events.c.event_ts)
        .where(log_events.c.event_ts <= now)
        .order_by(log_events.c.event_ts.desc())
        .limit(1)
    ).scalar_one_or_none()
    return window_at(newest or now, FOUR_HOURS)


def newest_revision(connection: Connection, window: Window | None) -> Row[Any] | None:
    """The row of the window's newest revision; without a window, that of the newest reported one."""
    query = select(log_analyses).order_by(log_analyses.c.window_start.desc(), log_analyses.c.revision.desc()).limit(1)
    if window is not None:
        query = query.where(log_analyses.c.window_start == window.start)
    return connection.execute(query).one_or_none()


def stored_digest(connection: Connection, window: Window) -> Digest:
    """The window's digest as it was built last.

    Raises:
        UsageError: there is none.
    """
    document = connection.execute(
        select(window_digests.c.digest).where(window_digests.c.window_start == window.start)
    ).scalar_one_or_none()
    if document is None:
        raise UsageError(f"{window.key} has no digest yet; materialize window_digest for it first")
    return Digest.model_validate(document)


def _store(
    connection: Connection,
    newest: Row[Any] | None,
    report: Report,
    explanation: Explanation,
    key: str,
    question: str,
    now: datetime,
) -> tuple[int, bool]:
    """Write a new revision if the report differs from the newest; its number, and whether it is new."""
    document = report.model_dump(mode="json")
    if newest is not None and newest.report == document:
        _add_cost(connection, newest, explanation, key, question)
        return newest.revision, False
    revision = 1 if newest is None else newest.revision + 1
    prose = report.prose.summary if report.prose else report.headline
    connection.execute(
        log_analyses.insert().values(
            window_start=report.start,
            revision=revision,
            analysis_key=key,
            question_key=question,
            digest_sha256=report.versions["digest_sha256"],
            status=report.status,
            severity=report.severity.value,
            summary=prose,
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
    return revision, True


def _add_cost(connection: Connection, newest: Row[Any], explanation: Explanation, key: str, question: str) -> None:
    """Another attempt that left the report as it was still costs what it costs."""
    cost: Decimal = newest.cost_usd + explanation.cost
    statement = update(log_analyses).where(
        log_analyses.c.window_start == newest.window_start, log_analyses.c.revision == newest.revision
    )
    ids = [*newest.request_ids, *explanation.request_ids]
    connection.execute(statement.values(cost_usd=cost, request_ids=ids, analysis_key=key, question_key=question))


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
