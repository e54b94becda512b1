"""Health of asking Claude, as far as it costs nothing: whether it is set up, and what is left of the day's budget.

Whether the key is taken and the models are still offered is asked once a day, by `integrations_check`.
"""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.storage.analysis_tables import claude_calls
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

NEARLY = 0.95
"""Share of the day's budget that is as good as all of it: another question's worst case doesn't fit."""


def look_at_claude(bench: Bench) -> Iterator[Finding]:
    """Whether it can be asked as configured, and what the day cost so far."""
    from rustbucket_pipeline.analysis.clients import why_not, why_off  # and with it an HTTP client, here only

    settings = bench.settings
    if off := why_off(settings):
        yield Finding("claude", "claude", Health.OK, f"{off}: reports are complete without")
        return
    if problem := why_not(settings):
        yield Finding("claude", "claude", Health.ERROR, problem, "correct it", Kind.CLAUDE_UNUSABLE)
        return
    midnight = bench.now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = claude_calls.c.asked_at.between(midnight, midnight + timedelta(days=1))
    with bench.engine.connect() as connection:
        spent = float(
            connection.execute(select(func.coalesce(func.sum(claude_calls.c.cost_usd), 0)).where(today)).scalar_one()
        )
    budget = settings.claude_budget_usd_per_day
    over = spent >= budget * NEARLY
    yield Finding(
        component="claude",
        subject="budget of the day",
        health=Health.WARNING if over else Health.OK,
        why=f"{spent:.2f} of {budget:.2f} US dollars spent today (UTC)",
        do="it begins anew at midnight; CLAUDE_BUDGET_USD_PER_DAY raises it" if over else "",
        kind=Kind.CLAUDE_BUDGET_SPENT,
        figures={"claude_usd_today": spent},
    )
