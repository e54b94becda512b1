"""One window's report: findings by rule, Claude's words if to be had, kept by revision. The asset `log_analysis`.

A lock per window makes two runs one call; a window in which nothing changed that Claude is asked about costs nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, and_, select

from rustbucket_pipeline.analysis.budget import Ledger
from rustbucket_pipeline.analysis.claude import Pace
from rustbucket_pipeline.analysis.contents import Digest, hash_of
from rustbucket_pipeline.analysis.digest import digest_of
from rustbucket_pipeline.analysis.draft import analysis_key, draft_report, explained, question_key
from rustbucket_pipeline.analysis.excerpts import excerpts_of
from rustbucket_pipeline.analysis.explain import explain
from rustbucket_pipeline.analysis.findings import find
from rustbucket_pipeline.analysis.page import ClaudeNote, Report
from rustbucket_pipeline.analysis.reuse import stored_explanation
from rustbucket_pipeline.analysis.rules import rules_version
from rustbucket_pipeline.analysis.stored import newest_revision, store, summary_of
from rustbucket_pipeline.analysis.version import REPORT_VERSION
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, Window, window_at
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import window_digests
from rustbucket_pipeline.storage.builds import Build, inputs_version, record_build
from rustbucket_pipeline.storage.canary import note_reported
from rustbucket_pipeline.storage.closed_days import hold_windows, require_open
from rustbucket_pipeline.storage.tables import log_events, window_builds

ASSET = "log_analysis"
NOT_NOW = "not asked (a report made at once is made without Claude)"


@dataclass(frozen=True, slots=True)
class AnalysisOutcome:
    """What reporting one window came to. Tokens and cost (US dollars) are this run's.

    `summary`: Claude's, else the headline; `changed`: there is a new revision. `output_version`: the report's hash.
    """

    window: Window
    revision: int
    changed: bool
    status: str
    severity: str
    headline: str
    summary: str
    completeness: str
    findings: int
    excerpts: int
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
        hold_windows(connection, ASSET, [window])
        require_open(connection, [window])
        inputs = inputs_version(connection, ASSET, window, REPORT_VERSION)
        digest = stored_digest(connection, window)
        draft = judged_report(connection, window, digest, ClaudeNote(outcome="not asked"))
        newest = newest_revision(connection, window)
        key, question = analysis_key(draft, settings), question_key(draft, digest, settings)
        explanation = stored_explanation(connection, newest, window, key, question)
        if explanation is None:
            explanation = explain(settings, digest, draft.findings, Ledger(engine, settings, window, now), pace)
        report = explained(draft, explanation)
        revision, changed = store(connection, newest, report, explanation, (key, question), now)
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
        summary=summary_of(report),
        completeness=report.completeness,
        findings=len(report.findings),
        excerpts=len(report.excerpts),
        claude=report.claude.outcome,
        tokens_in=explanation.tokens_in,
        tokens_out=explanation.tokens_out,
        cost_usd=float(explanation.cost),
        output_version=output,
    )


def report_at_once(connection: Connection, window: Window) -> Report:
    """The window's report from the rows at hand, without waiting, storing or asking. For a transaction to roll back."""
    return judged_report(connection, window, digest_of(connection, window), ClaudeNote(outcome=NOT_NOW))


def judged_report(connection: Connection, window: Window, digest: Digest, note: ClaudeNote) -> Report:
    """What rules say of the digested window: findings, and which rustbuckets stand out. No word of Claude in it."""
    findings = find(connection, window)
    draft = draft_report(window, digest, findings, note)
    versions = {**draft.versions, "rules": rules_version(), "parser": parsers_of(connection, window)}
    excerpts = excerpts_of(connection, window, findings)
    return draft.model_copy(update={"excerpts": excerpts, "versions": versions})


def parsers_of(connection: Connection, window: Window) -> str:
    """The versions of the parser that made the window's rows, e.g. `3`, or `2, 3` while hours are made anew."""
    built = window_builds.c
    of_window = and_(built.asset == "parsed_logs", built.window_start >= window.start, built.window_start < window.end)
    versions = connection.scalars(select(built.code_version).where(of_window).distinct().order_by(built.code_version))
    return ", ".join(versions)


def newest_window_with_rows(connection: Connection, now: datetime) -> Window:
    """The 4-hour window of the newest row that isn't in the future; the one in progress when there are no rows."""
    newest = connection.execute(
        select(log_events.c.event_ts)
        .where(log_events.c.event_ts <= now)
        .order_by(log_events.c.event_ts.desc())
        .limit(1)
    ).scalar_one_or_none()
    return window_at(newest or now, FOUR_HOURS)


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
