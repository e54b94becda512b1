"""`rustbucket jobs mark-success`, `reset`, `enable`, `disable`, `schedule`: what people decide, and what that did."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from rustbucket_pipeline.cli.opening import opened, ready_settings
from rustbucket_pipeline.cli.output import say
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.control import marks
from rustbucket_pipeline.control.code_server import request_reload
from rustbucket_pipeline.control.instance import dagster_instance
from rustbucket_pipeline.control.jobs import Job, job_named
from rustbucket_pipeline.control.named import span, windows_named
from rustbucket_pipeline.control.switches import switch
from rustbucket_pipeline.control.timetable import Change, cron_of, load_timetable, reschedule
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import Window


def mark_success(name: str, keys: Sequence[str], reason: str) -> None:
    """Mark windows, or a job without windows, as done."""
    job, now = job_named(name), datetime.now(UTC)
    if job.window is not None and not keys:
        raise UsageError(f"which windows of {name}? Name them by their start in UTC, like 2026-03-02-04:00")
    with opened() as (engine, settings), dagster_instance() as instance:
        windows = windows_named(settings, job, keys, now)
        if job.window is None:
            marks.mark_job(instance, job, login(), reason)
            say(f"{name}: counts as run at {now:%Y-%m-%d %H:%M} UTC")
            return
        marked = marks.mark_windows(engine, instance, settings, job, windows, login(), reason, now)
    for rustbucket, hour in marked.waived:
        say(f"{rustbucket}, {hour}: waived; it never counts as received")
    for window in windows:
        if window in marked.windows:
            say(f"{name}, {window}: marked; not due until its inputs change")
        elif not any(hour.start <= window.start < hour.end for _, hour in marked.waived):
            say(f"{name}, {window}: wasn't due; nothing was marked")


def reset(name: str, keys: Sequence[str], *, sure: bool) -> None:
    """Forget what was built, tried and marked of windows, or of all of them."""
    job, now = job_named(name), datetime.now(UTC)
    with opened() as (engine, settings), dagster_instance() as instance:
        windows = windows_named(settings, job, keys, now)
        if job.window is None:
            marks.forget_job(instance, job, login())
            say(f"{name}: reset; it is due now, and what it did before doesn't count any more")
            return
        if not windows and not sure and not _confirmed(name):
            say(f"{name}: nothing was reset")
            return
        forgotten = marks.forget_windows(engine, instance, settings, job, windows or None, login(), now)
    _say_forgotten(job, forgotten, windows)


def switch_job(name: str, *, on: bool) -> None:
    """Switch a job's schedule on or off."""
    job, now = job_named(name), datetime.now(UTC)
    settings = ready_settings()
    timing = load_timetable(settings)[name]
    with dagster_instance() as instance:
        changed = switch(instance, job, timing, now, on=on)
    word = "on" if on else "off"
    then = f"next tick {timing.tick(now):%Y-%m-%d %H:%M} UTC" if on else "it doesn't tick, and isn't healed"
    say(f"{name}: {'switched' if changed else 'was already'} {word}; {then}")


def move_ticks(name: str, every: str | None, cron: str | None, timezone: str | None, on: bool | None) -> None:
    """Note another cadence, and have a running system take it over."""
    if every and cron:
        raise UsageError("--every and --cron say the same; use one of them")
    cron = cron_of(every) if every else cron
    if cron is None and timezone is None and on is None:
        raise UsageError("say what to change: --every, --cron, --timezone, --on or --off")
    settings = ready_settings()
    change = Change(job=name, by=login(), at=datetime.now(UTC), cron=cron, timezone=timezone, on=on)
    timing = reschedule(settings, change)
    reloaded = request_reload(settings)
    word = "on" if timing.on else "off"
    say(f"{name}: {timing.cron} ({timing.timezone}), {word} unless switched in the UI")
    say(f"next tick {timing.tick(change.at):%Y-%m-%d %H:%M} UTC; {'taken over' if reloaded else 'no system runs now'}")
    if timing.testing:
        say(
            "TEST MODE: every job ticks each 5 minutes; unset RUSTBUCKET_TEST_MODE to have this cadence",
            style="bold red",
        )


def _say_forgotten(job: Job, forgotten: marks.Forgotten, named: Sequence[Window]) -> None:
    for window in named:
        if window not in forgotten.windows:
            say(f"{job.name}, {window}: nothing was kept of it; nothing to reset")
    if not forgotten.windows:
        if not named:
            say(f"{job.name}: nothing was kept of any window; nothing to reset")
        return
    say(f"{job.name}: {span(forgotten.windows)} reset; what was built stays until it is built again")
    if not forgotten.due:
        say("no gap: nothing ever came of it, so nothing is due")
        return
    say(f"gap: {span(forgotten.due)} due again")
    for later, windows in forgotten.waiting.items():
        say(f"until then wait, if they are due: {later}, {span(windows)}")


def _confirmed(name: str) -> bool:
    """Asked only of a person who can answer."""
    if not sys.stdin.isatty():
        return True
    return typer.confirm(f"Reset every window of {name}? All of them are built again", default=False)
