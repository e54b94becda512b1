"""`rustbucket jobs`: its verbs and their options. What each does is in `jobs_*.py`, imported when it is used.

Dagster takes a second to import: help, and a mistake in the options, needn't wait for it.
"""

from typing import Annotated

import typer

from rustbucket_pipeline.cli.alerting import AlertOption, alerting
from rustbucket_pipeline.cli.output import JsonOption

app = typer.Typer(
    help="The jobs: how they stand, running them, their history, their switches.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

Name = Annotated[str, typer.Argument(help="The job's name.", show_default=False)]
Windows = Annotated[
    list[str] | None, typer.Argument(metavar="[WINDOW]…", help="Windows by their start in UTC: `2026-03-02-04:00`.")
]
From = Annotated[str | None, typer.Option("--from", help="First moment: `2026-03-02`, `2026-03-02-04:00`, `36h` ago.")]
Until = Annotated[str | None, typer.Option("--to", help="First moment no longer wanted. Default: now.")]


@app.command(name="list")
def list_(as_json: bool = JsonOption) -> None:
    """Every job: when it ticks, how its last run ended, since when it is up to date, what it missed. Times are UTC.

    `last success` is the newest run that wasn't forced; `missed` counts windows that should have been built by now.
    """
    from rustbucket_pipeline.cli.jobs_board import show_board

    show_board(as_json=as_json)


@app.command()
def show(
    name: Name, limit: int = typer.Option(10, "-n", min=1, max=1000, help="How many runs."), as_json: bool = JsonOption
) -> None:
    """A job's last runs, newest first: windows, how long, how many rows, and why one failed."""
    from rustbucket_pipeline.cli.jobs_board import show_job

    show_job(name, limit, as_json=as_json)


@app.command()
def run(
    name: Annotated[str | None, typer.Argument(help="The job's name; none with --all-due.", show_default=False)] = None,
    window: Annotated[
        list[str] | None, typer.Option(help="A window by its start, `2026-03-02-04:00`; may be repeated.")
    ] = None,
    since: From = None,
    until: Until = None,
    arg: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An argument the job takes; may be repeated.")
    ] = None,
    force: bool = typer.Option(False, "--force", help="Whatever is due; such a run doesn't count as the job's own."),
    follow: bool = typer.Option(False, "--follow", help="Print the job's log as it goes."),
    all_due: bool = typer.Option(False, "--all-due", help="Every job that is due, one after the other."),
    alert: bool = AlertOption,
) -> None:
    """Run what is due of a job, or of the windows named; wait for its end. The exit code is the run's result.

    While Dagster's daemon runs, it does the work; else this command does.

    Examples: `rustbucket jobs run parse_logs`, `… run parse_logs --window 2026-03-02-04:00 --force`,
    `… run --all-due`.
    """
    from rustbucket_pipeline.cli import jobs_run

    asked = jobs_run.Asked(tuple(window or ()), since, until, tuple(arg or ()), force, follow)
    with alerting(wanted=alert):
        if all_due:
            jobs_run.run_all_due(name, asked)
        else:
            jobs_run.run_one(name, asked)


@app.command()
def backfill(
    name: Name,
    since: From = None,
    until: Until = None,
    in_order: bool = typer.Option(False, "--in-order", help="One window after the other; stop at the first failure."),
) -> None:
    """Build all windows from one moment to another, whatever is built.

    While Dagster's daemon runs, it is a backfill of Dagster's, and this returns at once; else it is done here.

    Example: `rustbucket jobs backfill parse_logs --from 2026-03-01 --to 2026-04-01`
    """
    from rustbucket_pipeline.cli.jobs_run import backfill as do

    do(name, since, until, in_order=in_order)


@app.command()
def kill(run: Annotated[str, typer.Argument(help="Its id, or how it begins; a backfill's too.")]) -> None:
    """End a run, wherever it runs. What it built stays, the rest is due again."""
    from rustbucket_pipeline.cli.jobs_run import kill as do

    do(run)


@app.command(name="mark-success")
def mark_success(
    name: Name,
    windows: Windows = None,
    reason: Annotated[str, typer.Option(help="Why it counts as done.", show_default=False)] = "",
) -> None:
    """Say that windows are done as they are, by whom and why: they aren't due until their inputs change.

    Of archives, what never came is waived; it never counts as received. A job without windows counts as run now.

    Example: `rustbucket jobs mark-success parse_logs 2026-03-02-04:00 --reason "a test of ours"`
    """
    from rustbucket_pipeline.cli.jobs_state import mark_success as do

    do(name, windows or [], reason)


@app.command()
def reset(
    name: Name,
    windows: Windows = None,
    yes: bool = typer.Option(False, "--yes", help="Don't ask before resetting all of them."),
) -> None:
    """Forget tries, marks and what windows were built from: they are due again. Without windows: all of them.

    It says which gap that leaves. What was built stays until it is built again.
    """
    from rustbucket_pipeline.cli.jobs_state import reset as do

    do(name, windows or [], sure=yes)


@app.command()
def enable(name: Name) -> None:
    """Switch a job's schedule on, as the UI does."""
    from rustbucket_pipeline.cli.jobs_state import switch_job

    switch_job(name, on=True)


@app.command()
def disable(name: Name) -> None:
    """Switch a job's schedule off, as the UI does: it doesn't tick, and isn't healed."""
    from rustbucket_pipeline.cli.jobs_state import switch_job

    switch_job(name, on=False)


@app.command()
def logs(
    name: Name,
    lines: int = typer.Option(100, "-n", min=1, help="How many lines."),
    follow: bool = typer.Option(False, "-f", help="Go on as more come."),
    as_json: bool = typer.Option(False, "--json", help="The lines as they are kept: one JSON object each."),
) -> None:
    """What a job's runs said, oldest first. Times are UTC."""
    from rustbucket_pipeline.cli.jobs_logs import show_logs

    show_logs(name, lines, follow=follow, as_json=as_json)


@app.command()
def schedule(
    name: Name,
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
    from rustbucket_pipeline.cli.jobs_state import move_ticks

    move_ticks(name, every, cron, timezone, on)
