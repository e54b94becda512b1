"""Health of what is made of the logs: late data, clocks of rustbuckets, volume, and what reports say of Claude.

Told from tables alone, of the newest hours and windows only: each alert closes when a newer one is as it should be.
"""

from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from sqlalchemy import select

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.model.window import FOUR_HOURS, Window, window_at
from rustbucket_pipeline.storage.analysis_tables import findings, log_analyses, window_counts
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

PACKAGE = "rustbucket_pipeline.upkeep"

LATE_SINCE = timedelta(days=2)
USUAL_OVER = timedelta(days=7)
FEWEST_WINDOWS = 12
"""Windows of the last seven days that must be known before any volume is unusual."""

FAR = 5
FEWEST_EVENTS = 500
"""An unusual volume is five times the usual one or more, or a fifth of it or less; of small fleets nothing is."""

INJECTION = "prompt-injection"
"""The rule that finds text made for language models."""


def look_at_logs(bench: Bench) -> Iterator[Finding]:
    """Late logs and wrong clocks by rustbucket, and the newest window's volume."""
    found = [*_late(bench), *_skewed(bench), *_volume(bench)]
    yield from found
    if not found:
        yield Finding("logs", "logs", Health.OK, "none came after its report; clocks and volume are as usual")


def look_at_reports(bench: Bench) -> Iterator[Finding]:
    """Of the newest report: rows that Claude named and that don't exist, and text made for it."""
    newest = select(
        log_analyses.c.window_start, log_analyses.c.revision, log_analyses.c.status, log_analyses.c.severity
    )
    order = (log_analyses.c.window_start.desc(), log_analyses.c.revision.desc())
    with bench.engine.connect() as connection:
        report = connection.execute(newest.order_by(*order).limit(1)).one_or_none()
        if report is None:
            yield Finding("reports", "reports", Health.OK, "no window is reported yet")
            return
        mine = (findings.c.window_start == report.window_start) & (findings.c.revision == report.revision)
        rules = set(connection.execute(select(findings.c.rule).where(mine)).scalars())
    window = Window(report.window_start, FOUR_HOURS)
    yield Finding("reports", "newest report", Health.OK, f"{window}: {report.severity}, {report.status}")
    if report.status == "model-marked":
        why = f"Claude named rows in its report of {window} that don't exist; they are marked there"
        yield Finding("reports", "claude", Health.WARNING, why, "read it with care", Kind.CLAUDE_CITATION_FAILED)
    if INJECTION in rules:
        why = f"attackers addressed a language model in {window}; rules decide, so nothing follows from it"
        yield Finding("reports", "attackers' text", Health.WARNING, why, "", Kind.INJECTION_ATTEMPT)


def _late(bench: Bench) -> Iterator[Finding]:
    place = {"since": window_at(bench.now - LATE_SINCE, FOUR_HOURS).start}
    with bench.engine.connect() as connection:
        for row in connection.execute(load_sql(PACKAGE, "health_late"), place):
            window = Window(row.first, FOUR_HOURS)
            why = f"its logs came after the reports of {row.windows} windows, the first {window}; they are made anew"
            yield Finding("logs", row.rustbucket_id, Health.WARNING, why, "", Kind.LATE_DATA)


def _skewed(bench: Bench) -> Iterator[Finding]:
    place = {"since": bench.now - LATE_SINCE}
    with bench.engine.connect() as connection:
        for row in connection.execute(load_sql(PACKAGE, "health_skewed"), place):
            why = (
                f"{row.clamped:,} of {row.events:,} records of its hour {row.hour:%Y-%m-%d %H:%M} UTC claim times that "
                f"their file doesn't vouch for, like {row.claimed:%Y-%m-%d %H:%M:%S}"
            )
            yield Finding("logs", row.rustbucket_id, Health.WARNING, why, "set its clock", Kind.CLOCK_SKEW)


def _volume(bench: Bench) -> Iterator[Finding]:
    table = window_counts
    last = (table.c.what == "events") & (table.c.window_start > bench.now - USUAL_OVER)
    with bench.engine.connect() as connection:
        rows = connection.execute(
            select(table.c.window_start, table.c.events).where(last).order_by(table.c.window_start)
        ).all()
    if len(rows) <= FEWEST_WINDOWS:
        return
    *before, newest = rows
    usual = median(row.events for row in before)
    most, least = max(newest.events, usual), min(newest.events, usual)
    if most >= FEWEST_EVENTS and most >= FAR * least:
        window = Window(newest.window_start, FOUR_HOURS)
        why = f"{newest.events:,} events in {window}; {usual:,.0f} are usual"
        yield Finding("logs", "fleet", Health.WARNING, why, "`rustbucket report` says of what", Kind.VOLUME_CHANGED)
