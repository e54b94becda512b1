"""`rustbucket report`: the page one reads. Finds reports and prints them; what is in one is `analysis`' business."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

import typer
from rich.text import Text
from sqlalchemy import Engine
from typer.core import TyperGroup

from rustbucket_pipeline.analysis.difference import difference, lines_of_difference
from rustbucket_pipeline.analysis.html_page import html_of
from rustbucket_pipeline.analysis.markdown import markdown_of
from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.analysis.published import published
from rustbucket_pipeline.analysis.render import Line, lines_of
from rustbucket_pipeline.analysis.report import newest_window_with_rows, report_at_once
from rustbucket_pipeline.analysis.stored import Kept, kept_report
from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, console, print_json
from rustbucket_pipeline.cli.times import moment_named
from rustbucket_pipeline.errors import BadWindow, UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, Window, window_of_key

LATEST = "latest"
SHOW = "show"

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
    HTML = "html"


class ShowFirst(TyperGroup):
    """A group that shows a report unless told otherwise: `report`, `report latest --now`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Put the command's name before what isn't one."""
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else [SHOW, *args])


app = typer.Typer(cls=ShowFirst, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def reports() -> None:
    """What happened in four hours: what is new, how bad, what to do, on what evidence.

    `rustbucket report` shows the newest report; `rustbucket report show --help` says what else can be asked.
    """


@app.command(SHOW)
def report(
    window: str = typer.Argument(LATEST, help="`latest`, or the window's start in UTC: `2026-03-02-04:00`."),
    now: bool = typer.Option(False, "--now", help="From the rows at hand: no waiting, no Claude, nothing stored."),
    as_of: str | None = typer.Option(
        None, "--as-of", metavar="TIME", help="What was said then: `2026-03-02T10:30:00Z`, or `36h` for so long ago."
    ),
    form: Format = typer.Option(
        Format.TEXT, "--format", help="`text` to read, `md` or `html` to pass on, `json` to process."
    ),
) -> None:
    """Show a report. The word `show` may be left out.

    Prints the stored report of the newest window, or of the one named; `--now` makes one at once, for the newest
    window that has rows (it may still be in progress). Follow any id with `rustbucket trace ID`.

    Examples: `rustbucket report`, `rustbucket report 2026-03-02-04:00 --format html > report.html`
    """
    if now and as_of:
        raise UsageError("--now makes a report of what is known now; leave out --as-of, or --now")
    with opened() as (engine, _):
        kept = None if now else _stored(engine, window, as_of)
        _print(_made_at_once(engine, window) if kept is None else kept.report, kept, form)


@app.command("diff")
def diff(
    before: str = typer.Argument(metavar="WINDOW1", help="The earlier window's start in UTC: `2026-03-02-04:00`."),
    after: str = typer.Argument(LATEST, metavar="[WINDOW2]", help="The later one's. Default: the newest report."),
    as_json: bool = JsonOption,
) -> None:
    """Compare two windows' reports: which findings are new, gone, graver, milder, risen or fallen.

    Risen: twice as many events; fallen: half. Indicators and behaviours are counted as new, gone and in both.

    Example: `rustbucket report diff 2026-03-02-04:00 2026-03-02-08:00`
    """
    with opened() as (engine, _):
        earlier, later = (_stored(engine, key, None).report for key in (before, after))
        with engine.connect() as connection:
            found = difference(connection, earlier, later)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    _print_lines(lines_of_difference(found))


def _stored(engine: Engine, key: str, as_of: str | None) -> Kept:
    now = datetime.now(UTC)
    window = None if key == LATEST else _named(key, now)
    moment = None if as_of is None else moment_named(as_of, now)
    with engine.connect() as connection:
        kept = kept_report(connection, window, moment)
    if kept is not None:
        return kept
    then = "" if moment is None else f" by {moment:%Y-%m-%d %H:%M} UTC"
    if window is None:
        told = f"no window had been reported{then}" if moment else "no window has been reported yet"
        raise UsageError(f"{told}; `rustbucket report --now` makes one from the rows at hand")
    hint = f"`rustbucket report {window.key} --now` makes one at once"
    raise UsageError(f"{window.key} {'hadn' if moment else 'hasn'}'t been reported{then}; {hint}")


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


def _print(report: Report, kept: Kept | None, form: Format) -> None:
    said = (
        "" if kept is None else f"said {kept.made_at:%Y-%m-%d %H:%M} UTC, revision {kept.revision} of {kept.revisions}"
    )
    match form:
        case Format.JSON:
            print_json(published(report, kept).model_dump(mode="json"))
        case Format.MD:
            typer.echo(markdown_of(report, said), nl=False)
        case Format.HTML:
            typer.echo(html_of(report, said), nl=False)
        case Format.TEXT:
            _print_lines(lines_of(report, said))


def _print_lines(lines: Iterable[Line]) -> None:
    for line in lines:
        console.print(Text(line.text, style=_COLOURS[line.style]), soft_wrap=True)
