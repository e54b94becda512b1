"""`rustbucket report`: the page one reads. Finds the report and prints it; what is in it is `analysis`' business."""

from datetime import UTC, datetime
from enum import StrEnum

import typer
from rich.text import Text
from sqlalchemy import Engine

from rustbucket_pipeline.analysis.markdown import markdown_of
from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.analysis.render import lines_of
from rustbucket_pipeline.analysis.report import newest_window_with_rows, report_at_once, stored_report
from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import console, print_json
from rustbucket_pipeline.errors import BadWindow, UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, Window, window_of_key

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

LATEST = "latest"

_COLOURS = {
    "plain": "",
    "headline": "bold",
    "section": "bold cyan",
    "dim": "dim",
    "info": "",
    "low": "green",
    "medium": "yellow",
    "high": "red",
    "critical": "bold red",
}


class Format(StrEnum):
    """How the report is written."""

    TEXT = "text"
    MD = "md"
    JSON = "json"


@app.command()
def report(
    window: str = typer.Argument(LATEST, help="`latest`, or the window's start in UTC: `2026-03-02-04:00`."),
    now: bool = typer.Option(False, "--now", help="From the rows at hand: no waiting, no Claude, nothing stored."),
    form: Format = typer.Option(Format.TEXT, "--format", help="`text` to read, `md` to pass on, `json` to process."),
) -> None:
    """What happened in four hours: what is new, how bad, what to do, on what evidence.

    Prints the stored report of the newest window, or of the one named; `--now` makes one at once, for the newest
    window that has rows (it may still be in progress). Follow any row id with `rustbucket trace ID`.

    Example: `rustbucket report 2026-03-02-04:00 --format md > report.md`
    """
    with opened() as (engine, _):
        _print(_made_at_once(engine, window) if now else _stored(engine, window), form)


def _stored(engine: Engine, key: str) -> Report:
    window = None if key == LATEST else _named(key, datetime.now(UTC))
    with engine.connect() as connection:
        found = stored_report(connection, window)
    if found is not None:
        return found
    if window is None:
        raise UsageError("no window has been reported yet; `rustbucket report --now` makes one from the rows at hand")
    raise UsageError(f"{window.key} hasn't been reported; `rustbucket report {window.key} --now` makes one at once")


def _made_at_once(engine: Engine, key: str) -> Report:
    now = datetime.now(UTC)
    with engine.connect() as connection, connection.begin() as transaction:
        window = newest_window_with_rows(connection, now) if key == LATEST else _named(key, now)
        made = report_at_once(connection, window)
        transaction.rollback()
        return made


def _named(key: str, now: datetime) -> Window:
    window = window_of_key(key, FOUR_HOURS)
    if window.start > now:
        raise BadWindow(f"{key} hasn't begun: it is {now:%Y-%m-%d %H:%M} UTC; name an earlier window, or none")
    return window


def _print(report: Report, form: Format) -> None:
    if form is Format.JSON:
        print_json(report.model_dump(mode="json"))
        return
    if form is Format.MD:
        typer.echo(markdown_of(report), nl=False)
        return
    for line in lines_of(report):
        console.print(Text(line.text, style=_COLOURS[line.style]), soft_wrap=True)
