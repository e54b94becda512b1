"""How commands print: tables and colours on a terminal, plain text in a pipe, JSON on request.

Attacker text goes through `plain`, which shows control characters and never lets them act. No queries here.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rustbucket_pipeline.errors import RustbucketError, UsageError

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

JsonOption = typer.Option(False, "--json", help="Print JSON instead of a table.")


def plain(value: object) -> str:
    """Text of anything, for people: one line, control and bidirectional characters shown as escapes."""
    if value is None:
        return "–"
    if isinstance(value, Text):
        return plain(value.plain)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(value))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A table on a terminal; tab-separated lines without a heading in a pipe. A `Text` keeps its colour there."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(plain(value) for value in row))
        return
    table = Table(*columns, title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(plain(value), style=value.style if isinstance(value, Text) else "") for value in row))
    console.print(table)


def print_json(value: object) -> None:
    """One JSON document on standard output; times in ISO 8601."""
    print(json.dumps(value, indent=2, ensure_ascii=True, default=_json_default))


def _json_default(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def say(message: str, *, style: str | None = None) -> None:
    """One line for the person at the terminal."""
    console.print(Text(message, style=style or ""), soft_wrap=True)


def note(message: str, *, style: str | None = None) -> None:
    """A line of what keeps running: for people on a terminal, else a JSON object like those of Dagster's programs."""
    if sys.stdout.isatty():
        say(message, style=style)
        return
    level = "error" if style == "red" else "info"
    line = {"event": message, "logger": "rustbucket", "level": level, "timestamp": datetime.now(UTC).isoformat()}
    print(json.dumps(line, ensure_ascii=True), flush=True)


def fail(error: RustbucketError) -> NoReturn:
    """One line on standard error that says what happened and what to do; exit code 2 for a person's mistake, else 1."""
    errors.print(Text.assemble(("error: ", "bold red"), plain(error)), soft_wrap=True)
    raise SystemExit(2 if isinstance(error, UsageError) else 1)
