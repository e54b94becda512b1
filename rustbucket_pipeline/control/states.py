"""The facts the plan is made from, read from `window_builds` and the watermarks. Reads only, decides nothing."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from rustbucket_pipeline.analysis.version import DIGEST_VERSION, REPORT_VERSION
from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, Job
from rustbucket_pipeline.control.plan import WindowState
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.model.window import Window, windows_between
from rustbucket_pipeline.storage.builds import EMPTY, UPSTREAM, Versions, inputs_version_from, versions_between

CODE_VERSIONS = {
    "parsed_logs": str(PARSER_VERSION),
    "window_digest": DIGEST_VERSION,
    "log_analysis": REPORT_VERSION,
}

GRACE = timedelta(hours=2, minutes=15)
"""How long after its end a window waits for rustbuckets that haven't been heard past it (DESIGN section 3)."""

_SLOWEST = text(
    "select case when count(w.watermark) = count(*) then min(w.watermark) end from rustbucket_watermarks w"
    " join rustbuckets r on r.id = w.rustbucket_id where r.status = 'active'"
)
"""The earliest watermark; null while an active rustbucket has none."""


def window_states(connection: Connection, job: Job, start: datetime, now: datetime) -> list[WindowState]:
    """The state of each of the job's windows that begin at `start` or later and are over."""
    if job.window is None:
        return []
    windows = [window for window in windows_between(start, now, job.window) if window.end <= now]
    return [state for asset in job.assets for state in _states(connection, asset, windows, now)]


def _states(connection: Connection, asset: str, windows: list[Window], now: datetime) -> list[WindowState]:
    if not windows:
        return []
    start, end = windows[0].start, windows[-1].end
    built = versions_between(connection, asset, start, end)
    if asset not in UPSTREAM:
        return [_asked(window, built) for window in windows]
    upstream = versions_between(connection, UPSTREAM[asset].asset, start, end)
    heard_until = _heard_until(connection, now) if asset in ANALYSE_WINDOWS.assets else None
    return [_built(asset, window, built, upstream, heard_until) for window in windows]


def _asked(window: Window, built: dict[datetime, Versions]) -> WindowState:
    """An archive's window is built by asking the fleet; what came later rebuilds it in the pull that brings it."""
    return WindowState(window, "asked", "asked" if window.start in built else None, ready=True)


def _built(
    asset: str,
    window: Window,
    built: dict[datetime, Versions],
    upstream: dict[datetime, Versions],
    heard_until: datetime | None,
) -> WindowState:
    parts = window.parts(UPSTREAM[asset].length)
    anything = any(part.start in upstream and upstream[part.start].output != EMPTY for part in parts)
    inputs = inputs_version_from(asset, window, CODE_VERSIONS[asset], upstream) if anything else None
    built_from = built[window.start].inputs if window.start in built else None
    return WindowState(window, inputs, built_from, ready=heard_until is None or window.end <= heard_until)


def _heard_until(connection: Connection, now: datetime) -> datetime:
    """Until when every active rustbucket was heard, or its grace is over."""
    slowest = connection.execute(_SLOWEST).scalar()
    over = now - GRACE
    return max(over, slowest) if isinstance(slowest, datetime) else over
