"""What the plan is made from, as our database has it: stale windows of any age, requests, failed checks.

Reads and notes only, decides nothing. Versions are compared by the database, in one pass over all windows of an asset.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.analysis.version import DIGEST_VERSION, REPORT_VERSION
from rustbucket_pipeline.control.jobs import Job, job_of
from rustbucket_pipeline.control.plan import Asked, Place, Planned, Stale
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.model.window import Window, window_at
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.builds import EMPTY, UPSTREAM
from rustbucket_pipeline.storage.plan_tables import failed_checks, window_requests
from rustbucket_pipeline.storage.postgres import load_sql

CODE_VERSIONS = {
    "parsed_logs": str(PARSER_VERSION),
    "window_digest": DIGEST_VERSION,
    "log_analysis": REPORT_VERSION,
}

GRACE = timedelta(hours=2, minutes=15)
"""How long after its end a window waits for rustbuckets that haven't been heard past it (DESIGN section 3)."""

_PACKAGE = "rustbucket_pipeline.control"


def stale_windows(connection: Connection, asset: str, since: datetime, now: datetime) -> list[Stale]:
    """The asset's windows since then (UTC midnight) that are over and not built from what is there now, in order."""
    job = job_of(asset)
    length = _length(job)
    place = {"asset": asset, "job": job.name, "since": since, "until": window_at(now, length).start, "length": length}
    if asset in UPSTREAM:
        upstream, code = UPSTREAM[asset], CODE_VERSIONS[asset]
        inputs = {"upstream": upstream.asset, "part_length": upstream.length, "code": f"{len(code)}:{code}"}
        rows = connection.execute(load_sql(_PACKAGE, "stale_windows"), {**place, **inputs, "empty": EMPTY})
    else:
        rows = connection.execute(load_sql(_PACKAGE, "unasked_windows"), place)
    return [
        Stale(
            Window(row.window_start, length),
            row.version,
            row.built,
            row.changed_at,
            Asked(row.asked_version, row.asked_times, row.asked_at) if row.asked_version else None,
        )
        for row in rows
    ]


def heard_until(connection: Connection, now: datetime) -> datetime:
    """Until when every active rustbucket was heard, or its grace is over (UTC)."""
    slowest = connection.execute(load_sql(_PACKAGE, "slowest_watermark")).scalar()
    over = now - GRACE
    return max(over, slowest) if isinstance(slowest, datetime) else over


def clocks_agree(connection: Connection) -> bool:
    """Whether the newest health report found the clocks of machine, database and store to agree, as far as is known."""
    differ = (alerts.c.kind == Kind.CLOCKS_DISAGREE.value) & alerts.c.closed_at.is_(None)
    return connection.execute(select(alerts.c.id).where(differ).limit(1)).first() is None


def note_requests(connection: Connection, items: Iterable[Planned], now: datetime) -> None:
    """Note that runs of these windows are asked for."""
    rows = [
        {
            "job": item.job.name,
            "window_start": item.window.start,
            "version": asked.version,
            "times": asked.times,
            "asked_at": asked.at,
        }
        for item in items
        for asked in [item.asking(now)]
    ]
    if not rows:
        return
    statement = insert(window_requests)
    changed = {name: statement.excluded[name] for name in ("version", "times", "asked_at")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["job", "window_start"], set_=changed),
        rows,
    )


def wrong_windows(connection: Connection) -> dict[Place, str]:
    """By asset, the windows that a blocking check found wrong, and that check's name."""
    rows = connection.execute(select(failed_checks.c.asset, failed_checks.c.window_start, failed_checks.c.check_name))
    return {(row.asset, Window(row.window_start, _length(job_of(row.asset)))): row.check_name for row in rows}


def note_wrong(
    connection: Connection,
    asset: str,
    check: str,
    windows: Collection[Window],
    wrong: Collection[datetime],
    now: datetime,
) -> None:
    """Note which of these windows, by their start, a blocking check found wrong; the others pass."""
    own = (failed_checks.c.asset == asset) & (failed_checks.c.check_name == check)
    starts = [window.start for window in windows]
    connection.execute(delete(failed_checks).where(own, failed_checks.c.window_start.in_(starts)))
    for start in wrong:
        connection.execute(
            insert(failed_checks).values(asset=asset, window_start=start, check_name=check, failed_at=now)
        )


def _length(job: Job) -> timedelta:
    if job.window is None:
        raise ValueError(f"{job.name} has no windows")
    return job.window
