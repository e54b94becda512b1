"""`rustbucket windows`: which hours of which rustbuckets arrived, as a map; and the waiving of one that never will."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from rustbucket_pipeline.archive.completeness import HourState, hours_between, waive
from rustbucket_pipeline.cli.heatmap import heatmap, notes
from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, console, print_json, say
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.errors import NoSuchRustbucket
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.model.window import HOUR, window_at, window_of_key

app = typer.Typer(rich_markup_mode="markdown", help="Which hours of which rustbuckets arrived, and which didn't.")

Hours = Annotated[int, typer.Option(min=1, max=24 * 366, help="How many hours back, the one in progress included.")]
Some = Annotated[list[str] | None, typer.Option("--rustbucket", metavar="BKT…", help="Only this one; may be repeated.")]


@app.callback(invoke_without_command=True)
def windows(context: typer.Context, hours: Hours = 48, rustbucket: Some = None, as_json: bool = JsonOption) -> None:
    """Every rustbucket and hour on one map: received, quiet, pending, missing, expired or waived. Times are UTC.

    Quiet is proved: a later record arrived, or the rustbucket answered. Silence past the deadline is missing.

    Examples: `rustbucket windows`, `rustbucket windows --hours 96 --json`, `rustbucket windows --rustbucket BKT100001`.
    """
    if context.invoked_subcommand is None:
        _show(hours, rustbucket or [], as_json=as_json)


@app.command(name="waive")
def waive_(
    rustbucket_id: Annotated[str, typer.Argument(metavar="BKT…", show_default=False)],
    hour: Annotated[str, typer.Argument(help="Its start in UTC, like `2026-03-02-04:00`.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why its absence is all right.", show_default=False)],
) -> None:
    """Say that an hour which never came needn't. It is noted who said so, and why.

    Example: `rustbucket windows waive BKT100001 2026-03-02-04:00 --reason "moved to another rack"`
    """
    window = window_of_key(hour, HOUR)
    with opened() as (engine, _), engine.begin() as connection:
        registry.get(connection, rustbucket_id)
        waive(connection, rustbucket_id, window.start, login(), reason, datetime.now(UTC))
    say(f"{rustbucket_id}, {window}: waived")


def _show(hours: int, chosen: list[str], *, as_json: bool) -> None:
    now = datetime.now(UTC)
    end = window_at(now, HOUR).end
    start = end - timedelta(hours=hours)
    with opened() as (engine, _), engine.connect() as connection:
        names = {one.id: one.name for one in registry.everyone(connection)}
        if unknown := [one for one in chosen if one not in names]:
            raise NoSuchRustbucket(unknown[0])
        states = hours_between(connection, start, end, now, chosen)
    if as_json:
        print_json([_document(state) for state in states])
        return
    width = console.width if sys.stdout.isatty() else 1000
    for line in (*heatmap(states, names, start, hours, width), *notes(states)):
        console.print(line, soft_wrap=True)


def _document(state: HourState) -> dict[str, object]:
    return {
        "rustbucket": state.rustbucket_id,
        "hour": state.hour,
        "arrival": state.arrival,
        "build": state.build,
        "why": state.why,
    }
