"""`rustbucket jobs`: when jobs tick, and changing that."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from rustbucket_pipeline.cli.opening import ready_settings
from rustbucket_pipeline.cli.output import say
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.control.code_server import request_reload
from rustbucket_pipeline.control.timetable import Change, cron_of, reschedule
from rustbucket_pipeline.errors import UsageError

app = typer.Typer(
    help="The jobs: when they tick, and changing that.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)


@app.callback()
def jobs() -> None:
    """Let Typer treat the verbs as a group even while there is one."""


@app.command()
def schedule(
    name: Annotated[str, typer.Argument(help="The job's name.", show_default=False)],
    every: Annotated[
        str | None, typer.Option(help="A cadence that divides an hour or a day: `15m`, `2h`, `1d`.")
    ] = None,
    cron: Annotated[str | None, typer.Option(help="Or a cron: minute, hour, day, month, weekday.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Time zone of its ticks, like `Europe/Berlin`.")] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether it ticks unless switched in the UI.")] = None,
) -> None:
    """Move a job's ticks. Its windows stay the same: only when they are built changes. It is noted who did it.

    A running system takes it over at once; otherwise the next one does.

    Examples: `rustbucket jobs schedule parse_logs --every 30m`, `… schedule sign_archive --cron "5 4 * * 1"`.
    """
    if every and cron:
        raise UsageError("--every and --cron say the same; use one of them")
    cron = cron_of(every) if every else cron
    if cron is None and timezone is None and on is None:
        raise UsageError("say what to change: --every, --cron, --timezone, --on or --off")
    settings = ready_settings()
    change = Change(job=name, by=login(), at=datetime.now(UTC), cron=cron, timezone=timezone, on=on)
    timing = reschedule(settings, change)
    reloaded = request_reload(settings)
    switch = "on" if timing.on else "off"
    say(f"{name}: {timing.cron} ({timing.timezone}), {switch} unless switched in the UI")
    say(f"next tick {timing.tick(change.at):%Y-%m-%d %H:%M} UTC; {'taken over' if reloaded else 'no system runs now'}")
    if timing.testing:
        say(
            "TEST MODE: every job ticks each 5 minutes; unset RUSTBUCKET_TEST_MODE to have this cadence",
            style="bold red",
        )
