"""How the pipeline itself goes, for the dashboard: alerts, jobs and their logs, cost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection

from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.upkeep.dagster_seen import DagsterSeen, LogLine
from rustbucket_pipeline.upkeep.dashboard.facts import AlertFact, AlertFacts, CostFact, CostFacts, JobFact

PACKAGE = "rustbucket_pipeline.upkeep.dashboard"

MOST_ALERTS = 100
MOST_READ = 2_000
MOST_RUNS = 24
"""Of one job, shown; of all jobs, at most `MOST_READ` are looked at."""
MOST_LINES = 8
"""Of one job's log."""

RUNS_SPAN = timedelta(days=1)
COST_DAYS = 30

FAILED = "FAILURE"


def open_alerts(connection: Connection, now: datetime) -> AlertFacts:
    """The open ones, the gravest first."""
    rows = connection.execute(load_sql(PACKAGE, "alerts"), {"now": now, "most": MOST_ALERTS})
    shown = tuple(AlertFact(*row) for row in rows)
    counts = {row.severity: row.alerts for row in connection.execute(load_sql(PACKAGE, "alert_counts"))}
    return AlertFacts(shown, counts)


def jobs_now(dagster: DagsterSeen, now: datetime) -> tuple[JobFact, ...]:
    """Every job, with its runs of the last day."""
    runs = list(islice(dagster.runs(now - RUNS_SPAN), MOST_READ))
    found: list[JobFact] = []
    for seen in dagster.jobs(now):
        own = [run for run in runs if run.job == seen.name]
        found.append(JobFact(seen, tuple(own[:MOST_RUNS]), len(own), sum(run.status == FAILED for run in own)))
    return tuple(found)


def newest_lines(dagster: DagsterSeen, jobs: Sequence[JobFact]) -> tuple[LogLine, ...]:
    """The last lines of every job's log, newest first."""
    lines = [line for job in jobs for line in dagster.log(job.seen.name, MOST_LINES)]
    return tuple(sorted(lines, key=lambda line: line.time, reverse=True))


def costs_of_days(connection: Connection, now: datetime, budget_usd: float) -> CostFacts:
    """What Claude cost on each of the last 30 UTC days."""
    today = now.date()
    days = [today - timedelta(days=ago) for ago in range(COST_DAYS - 1, -1, -1)]
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=COST_DAYS - 1)
    known = {row.day: row for row in connection.execute(load_sql(PACKAGE, "costs"), {"since": since})}
    return CostFacts(
        tuple(
            CostFact(day, known[day].calls, known[day].usd) if day in known else CostFact(day, 0, 0.0) for day in days
        ),
        budget_usd,
    )
