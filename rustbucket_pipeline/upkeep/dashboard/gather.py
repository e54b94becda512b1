"""Everything the dashboard shows, asked for once: one read-only snapshot of the database, and Dagster's records."""

from sqlalchemy import text

from rustbucket_pipeline.upkeep.dashboard.attacks import last_day, protocols_over_time, windows_reported
from rustbucket_pipeline.upkeep.dashboard.facts import Facts
from rustbucket_pipeline.upkeep.dashboard.fleet import fleet_now
from rustbucket_pipeline.upkeep.dashboard.operations import costs_of_days, jobs_now, newest_lines, open_alerts
from rustbucket_pipeline.upkeep.statistics import measure
from rustbucket_pipeline.upkeep.task import Bench


def gather(bench: Bench) -> Facts:
    """Where everything stands now (UTC)."""
    now, settings = bench.now, bench.settings
    jobs = jobs_now(bench.dagster, now)
    with bench.engine.begin() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        return Facts(
            at=now,
            alerts=open_alerts(connection, now),
            windows=windows_reported(connection, now),
            day=last_day(connection),
            protocols=protocols_over_time(connection, now),
            fleet=fleet_now(connection, now),
            jobs=jobs,
            log=newest_lines(bench.dagster, jobs),
            costs=costs_of_days(connection, now, settings.claude_budget_usd_per_day),
            figures={one.figure.name: one for one in measure(connection, settings, now)},
        )
