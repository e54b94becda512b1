"""The planner's promise, looked at: an asset's newest windows are built, however many old ones are."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from rustbucket_pipeline.control.jobs import job_of
from rustbucket_pipeline.control.states import stale_windows
from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.model.window import EPOCH
from rustbucket_pipeline.storage.tables import window_builds

LOOK_BACK = timedelta(days=2)


def newest_windows_built(connection: Connection, asset: str, now: datetime) -> Promise:
    """Whether the newest built window isn't too old, and none of the last two days is overdue."""
    job = job_of(asset)
    length, late = job.window or timedelta(0), job.late_after
    starts = select(func.max(window_builds.c.window_start)).where(window_builds.c.asset == asset)
    newest = connection.execute(starts.where(window_builds.c.window_start <= now - length)).scalar()
    midnight = EPOCH + ((now - LOOK_BACK - EPOCH) // timedelta(days=1)) * timedelta(days=1)
    stale = stale_windows(connection, asset, midnight, now)
    overdue = [one.window for one in stale if max(one.window.end, one.changed_at or one.window.end) + late < now]
    if newest is None:
        return Promise(kept=False, why="nothing is built yet: nothing is known", numbers={"overdue": len(overdue)})
    lag = now - newest - length
    numbers = {"minutes_behind": lag // timedelta(minutes=1), "overdue": len(overdue)}
    if lag > late:
        why = f"the newest window built ended {_hours(lag)} ago, more than {_hours(late)}"
        return Promise(kept=False, why=why, numbers=numbers)
    if overdue:
        why = f"{len(overdue)} windows of the last two days are overdue, e.g. {overdue[0]}; `rustbucket plan` says why"
        return Promise(kept=False, why=why, numbers=numbers)
    return Promise(kept=True, why=f"the newest window built ended {_hours(lag)} ago; none is overdue", numbers=numbers)


def _hours(span: timedelta) -> str:
    minutes = span // timedelta(minutes=1)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
