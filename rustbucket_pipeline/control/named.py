"""The windows that a person named: by key, or from one moment to another. Checked before anything is done with them."""

from collections.abc import Iterable
from datetime import datetime

from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.errors import BadWindow, UsageError
from rustbucket_pipeline.model.window import Window, window_at, window_of_key, windows_between
from rustbucket_pipeline.settings import Settings


def windows_named(settings: Settings, job: Job, keys: Iterable[str], now: datetime) -> list[Window]:
    """The windows of these keys, in order, each once.

    Raises:
        BadWindow: malformed, misaligned, not over yet, or before the first window.
        UsageError: the job has no windows.
    """
    keys = list(keys)
    if job.window is None:
        if keys:
            raise UsageError(f"{job.name} has no windows: the past can't be asked again; leave out {keys[0]!r}")
        return []
    windows = {window_of_key(key, job.window) for key in keys}
    for window in windows:
        _require_over(settings, window, now)
    return sorted(windows)


def windows_from(settings: Settings, job: Job, since: datetime, until: datetime | None, now: datetime) -> list[Window]:
    """The windows that begin in `[since, until)`; without an end, up to the newest that is over.

    Raises:
        BadWindow: none begins there, one isn't over yet, or one is before the first window.
        UsageError: the job has no windows.
    """
    if job.window is None:
        raise UsageError(f"{job.name} has no windows: the past can't be asked again; leave out --from and --to")
    windows = list(windows_between(since, until or window_at(now, job.window).start, job.window))
    if not windows:
        raise BadWindow(
            f"no window of {job.name} begins between {since:%Y-%m-%d %H:%M} and "
            f"{until or now:%Y-%m-%d %H:%M} UTC; name an earlier --from, or a later --to"
        )
    for window in (windows[0], windows[-1]):
        _require_over(settings, window, now)
    return windows


def span(windows: Iterable[Window]) -> str:
    """Windows in words, in order: one by itself, several by how many and from when to when."""
    ordered = sorted(windows)
    if not ordered:
        return "no window"
    first, last = ordered[0], ordered[-1]
    if first == last:
        return str(first)
    return f"{len(ordered)} windows, {first.start:%Y-%m-%d %H:%M} to {last.end:%Y-%m-%d %H:%M} UTC"


def _require_over(settings: Settings, window: Window, now: datetime) -> None:
    if window.end > now:
        raise BadWindow(f"{window.key} isn't over: it is {now:%Y-%m-%d %H:%M} UTC; name an earlier window")
    first = settings.first_window(now)
    if window.start < first:
        raise BadWindow(
            f"{window.key} is before the first window, {first:%Y-%m-%d %H:%M} UTC; "
            "RUSTBUCKET_SINCE can set an earlier one"
        )
