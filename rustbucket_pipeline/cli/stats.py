"""`rustbucket stats`: how large, how busy, how costly, and what is rising. It asks and prints."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby

import typer
from rich.text import Text

from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, print_json, print_table
from rustbucket_pipeline.upkeep.amounts import changed
from rustbucket_pipeline.upkeep.statistics import Measured, measure
from rustbucket_pipeline.upkeep.statistics_figures import Group

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

COLUMNS = ("", "figure", "now", "a week ago", "change", "14 days")

_BARS = "▁▂▃▄▅▆▇█"
_UNKNOWN = "·"


@app.command()
def stats(as_json: bool = JsonOption) -> None:
    """How large, how busy, how costly everything is, against a week ago.

    Of what adds up (events, findings, cost) the last 7 days stand against the 7 before; of everything else, now against
    then, which is known once statistics were taken for a week (they are, every 6 hours). `docs/statistics.md` says what
    each figure counts.

    Examples: `rustbucket stats`, `rustbucket stats --json`
    """
    now = datetime.now(UTC)
    with opened() as (engine, settings), engine.connect() as connection:
        measured = measure(connection, settings, now)
    if as_json:
        print_json({"at": now, "figures": [_document(one) for one in measured]})
        return
    print_table(COLUMNS, [line for group, of_group in _groups(measured) for line in _lines(group, of_group)])


def spark(days: Sequence[float | None]) -> str:
    """A bar for each day, the highest of them full; a dot where nothing is known."""
    most = max((day for day in days if day is not None), default=0) or 1
    return "".join(_UNKNOWN if day is None else _BARS[round(day / most * (len(_BARS) - 1))] for day in days)


def _groups(measured: Sequence[Measured]) -> Iterator[tuple[Group, Sequence[Measured]]]:
    for group, found in groupby(measured, key=lambda one: one.figure.group):
        yield group, list(found)


def _lines(group: Group, measured: Sequence[Measured]) -> Iterator[tuple[object, ...]]:
    for place, one in enumerate(measured):
        yield (
            Text("" if place else group.value, style="bold"),
            one.figure.what,
            one.figure.written(one.value),
            None if one.week_ago is None else one.figure.written(one.week_ago),
            changed(one.change),
            spark(one.days),
        )


def _document(one: Measured) -> dict[str, object]:
    return {**asdict(one.figure), "value": one.value, "week_ago": one.week_ago, "change": one.change, "days": one.days}
