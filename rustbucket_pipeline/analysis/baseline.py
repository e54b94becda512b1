"""What a window is compared with: the 7 days before it, as medians of their 4-hour windows.

The comparison is kept apart from the digest's own figures: a changed baseline alone makes nothing stale.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from statistics import median

from sqlalchemy import Connection

from rustbucket_pipeline.analysis.contents import Baseline, Change, Totals
from rustbucket_pipeline.analysis.sightings import LOOKBACK
from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.builds import versions_between
from rustbucket_pipeline.storage.postgres import load_sql

_ENOUGH_WINDOWS = 6
"""A day's worth of windows; with fewer nothing is called unusual."""

_FACTOR = 2.0
_LEAST_EVENTS = 20
"""A change counts from twice (or half) the usual on, and from this many events of difference."""


def baseline_of(connection: Connection, window: Window, totals: Totals) -> Baseline:
    """The 7 days before the window, as `sightings` noted them, and where the window is far from them."""
    since = window.start - LOOKBACK
    history = _history(connection, window)
    built = versions_between(connection, "parsed_logs", since, window.start)
    enough = len(history) >= _ENOUGH_WINDOWS
    return Baseline(
        since=since,
        until=window.start,
        windows=len(history),
        inputs=version_of(f"{start.isoformat()} {built[start].output}" for start in sorted(built)),
        changes=_changes(_metrics(totals.by_type, totals.by_protocol), list(history.values())) if enough else (),
    )


def _history(connection: Connection, window: Window) -> dict[datetime, dict[str, int]]:
    span = {"since": window.start - LOOKBACK, "start": window.start}
    history: dict[datetime, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(load_sql("rustbucket_pipeline.analysis", "history"), span):
        history[row.window_start][row.what] = row.events
    return history


def _metrics(by_type: Mapping[str, int], by_protocol: Mapping[str, int]) -> dict[str, int]:
    metrics = {"events": sum(by_type.values())}
    metrics.update({f"type {name}": events for name, events in by_type.items()})
    metrics.update({f"protocol {name}": events for name, events in by_protocol.items()})
    return metrics


def _changes(now: Mapping[str, int], history: list[dict[str, int]]) -> tuple[Change, ...]:
    names = sorted({*now, *(name for past in history for name in past)})
    usual = {name: float(median(past.get(name, 0) for past in history)) for name in names}
    changes = [Change(what=name, events=now.get(name, 0), usual=usual[name]) for name in names]
    return tuple(change for change in changes if _far(change.events, change.usual))


def _far(events: int, usual: float) -> bool:
    apart = abs(events - usual) >= _LEAST_EVENTS
    return apart and (events >= usual * _FACTOR or events * _FACTOR <= usual)
