"""`rustbucket plan`: what would run now and why, and what waits for what. It looks and prints; nothing is asked for."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import typer

from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, print_json, print_table, say
from rustbucket_pipeline.control.outlook import Outlook, look_now
from rustbucket_pipeline.control.plan import Planned, Standing, Taker

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

COLUMNS = ("job", "windows (UTC)", "", "when", "why")


@app.command()
def plan(
    limit: int = typer.Option(40, min=1, help="Most lines; adjacent windows with the same fate share one."),
    as_json: bool = JsonOption,
) -> None:
    """Every window that isn't built from what is there: when it runs, by whom, and why. Times are UTC.

    The order is that of healing: what its source deletes soon, then the newest day first. Works with the daemon running
    or not, and changes nothing.

    Examples: `rustbucket plan`, `rustbucket plan --json`.
    """
    with opened() as (engine, settings):
        outlook = look_now(engine, settings, datetime.now(UTC))
    if as_json:
        print_json([_document(item, outlook) for item in outlook.planned])
        return
    lines = list(_together(outlook.planned))
    if not lines:
        say("nothing to do: every window is built from what is there")
        return
    print_table(COLUMNS, [_line(group, outlook) for group in lines[:limit]])
    if hidden := sum(len(group) for group in lines[limit:]):
        say(f"… and {hidden} windows more; --limit shows them")


def _together(planned: Iterable[Planned]) -> Iterator[list[Planned]]:
    """Adjacent windows with the same fate."""
    group: list[Planned] = []
    for item in planned:
        if group and (group[-1].window.end != item.window.start or _fate(group[-1]) != _fate(item)):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _fate(item: Planned) -> tuple[str, Standing, Taker, str, str]:
    return item.job.name, item.standing, item.taker, item.why, item.detail


def _line(group: list[Planned], outlook: Outlook) -> tuple[str, str, str, str, str]:
    first, last = group[0], group[-1]
    span = str(first.window) if first is last else f"{first.window.start:%Y-%m-%d %H:%M}–{last.window.end:%m-%d %H:%M}"
    why = f"{first.why}; {first.detail}" if first.detail else first.why
    return first.job.name, span, f"{len(group)}", _when(first, outlook), why


def _when(item: Planned, outlook: Outlook) -> str:
    if item.standing is not Standing.DUE:
        return str(item.standing)
    if item.taker is Taker.HEAL:
        return "now (heal)"
    return f"{outlook.timetable[item.job.name].tick(outlook.now):%H:%M} (schedule)"


def _document(item: Planned, outlook: Outlook) -> dict[str, object]:
    return {
        "job": item.job.name,
        "window": item.window.key,
        "standing": str(item.standing),
        "taker": str(item.taker),
        "when": _when(item, outlook),
        "why": item.why,
        "detail": item.detail,
        "tries": item.tries,
        "given_up": item.given_up,
    }
