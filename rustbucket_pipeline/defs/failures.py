"""The sensor on failed runs: an alert for each cause, closed when what failed is built.

Dagster's own run failure sensor begins with the moment it is first evaluated. This one begins a week before, and goes
on where it stopped: runs that failed while the daemon was off are seen. What was built meanwhile opens no alert.
"""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.failed import Seen, failed_since, succeeded_at
from rustbucket_pipeline.control.failures import note_failures
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.settings import Settings

EVERY_SECONDS = 30
LOOK_BACK = timedelta(days=7)


@dg.sensor(
    name="failures",
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Opens an alert for each cause for which runs fail or vanish, and closes it when what they should have "
    "built is built. `rustbucket alerts list` shows them.",
)
def failures(
    context: dg.SensorEvaluationContext,
    database: dg.ResourceParam[Engine],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.SensorResult:
    """Look at the runs that failed since the last tick, and at what was built of those that failed before."""
    now = clock()
    seen = _seen(context.cursor) or Seen(now - LOOK_BACK)
    found, seen = failed_since(context.instance, seen, settings.first_window(now))
    with database.begin() as connection:
        left = note_failures(connection, found, partial(succeeded_at, context.instance), now)
    cursor = json.dumps({"until": seen.until.isoformat(), "runs": sorted(seen.runs)})
    return dg.SensorResult(skip_reason=f"{left} causes of failure last", cursor=cursor)


def _seen(cursor: str | None) -> Seen | None:
    try:
        found = json.loads(cursor or "{}")
        return Seen(datetime.fromisoformat(found["until"]).astimezone(UTC), frozenset(map(str, found["runs"])))
    except (ValueError, TypeError, KeyError):
        return None  # somebody else's: looking at a week again does no harm
