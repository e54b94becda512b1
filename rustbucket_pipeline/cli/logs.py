"""`rustbucket logs`: what the jobs' logs say of a period. One job's lines: `rustbucket jobs logs`."""

from dataclasses import asdict
from datetime import UTC, datetime

import typer
from rich.text import Text

from rustbucket_pipeline.cli.opening import ready_settings
from rustbucket_pipeline.cli.output import JsonOption, print_json, print_table
from rustbucket_pipeline.cli.times import moment_named
from rustbucket_pipeline.control.job_log import directory_of
from rustbucket_pipeline.control.log_summary import Summary, summaries
from rustbucket_pipeline.model.text import bounded

app = typer.Typer(
    help="The pipeline's own logs, all jobs together. The lines of one: `rustbucket jobs logs NAME`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

COLUMNS = (
    "job",
    "runs",
    "failed",
    "canceled",
    "unfinished",
    "takes",
    "longest",
    "warnings",
    "last success",
    "last failure",
)
LONGEST_WHY = 80


@app.callback()
def logs() -> None:
    """Let Typer treat `summary` as a command of a group."""


@app.command()
def summary(
    since: str = typer.Option("24h", "--from", help="Since when: `24h`, `7d`, `2026-03-02`."),
    as_json: bool = JsonOption,
) -> None:
    """Of each job: how often it ran, how long that took, what failed and why. Times are UTC.

    It reads the log files alone (`logs/jobs/` in the home), so it works while the database is down. A run that isn't
    finished is under way, or its process was killed.

    Examples: `rustbucket logs summary`, `rustbucket logs summary --from 7d --json`
    """
    now = datetime.now(UTC)
    found = summaries(directory_of(ready_settings()), moment_named(since, now))
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_table(COLUMNS, [_line(one) for one in found])


def _line(one: Summary) -> tuple[object, ...]:
    failure = one.last_failure
    why = f"{failure.at:%m-%d %H:%M} {failure.why}" if failure else None
    return (
        one.job,
        f"{one.runs:,}",
        Text(f"{one.failed:,}", style="red" if one.failed else ""),
        f"{one.canceled:,}",
        f"{one.unfinished:,}",
        _seconds(one.typical_seconds),
        _seconds(one.longest_seconds),
        f"{one.warnings:,}",
        f"{one.last_success:%m-%d %H:%M}" if one.last_success else None,
        Text(bounded(why, LONGEST_WHY), style="red") if why else None,
    )


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:,.1f} s"
