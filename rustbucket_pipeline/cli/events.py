"""`rustbucket events`: the rows that records became, asked for and made again. Which and how: the events' room."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, console, errors, plain
from rustbucket_pipeline.cli.replaying import rebuild, show_differences, show_rebuilt
from rustbucket_pipeline.cli.rows import put_rows
from rustbucket_pipeline.cli.times import moment_named
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.export import Column, Format, columns_found
from rustbucket_pipeline.events.query import Filters, Shelf, Values, columns_named, rows_found
from rustbucket_pipeline.events.replay import held_hours
from rustbucket_pipeline.events.row import EVENT_TYPES, PROTOCOLS
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import HOUR, window_at
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.question import Limits, ask

app = typer.Typer(
    help="What the records say: ask for rows, in any form; make them again from the archive.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

ON_A_SCREEN = 100
"""Rows of a table unless `--limit` says otherwise."""

_LAST_DAY = "24h"
_GLANCE = ("time (UTC)", "rustbucket", "type", "proto", "from", "what", "event")
_GLANCED_AT = ("event_ts", "rustbucket_id", "event_type", "protocol", "src_ip", "event_id")
_TOLD = ("command", "username", "password", "http_method", "http_path", "message")

Since = Annotated[str, typer.Option("--from", help="From then on: `2026-03-02`, `2026-03-02-04:00`, `36h` ago.")]
Until = Annotated[str, typer.Option("--to", help="Until then, that moment left out; like --from.")]
Some = Annotated[list[str] | None, typer.Option("--rustbucket", metavar="BKT…", help="Only this one; may be repeated.")]


@app.command()
def query(
    from_: Since = _LAST_DAY,
    to: Until = "",
    rustbucket: Some = None,
    event_type: Annotated[list[str] | None, typer.Option("--type", help="`command`, `authentication` …")] = None,
    protocol: Annotated[list[str] | None, typer.Option(help="`ssh`, `http` …; may be repeated.")] = None,
    src_ip: Annotated[str, typer.Option(help="An address or a network: `192.0.2.7`, `192.0.2.0/24`.")] = "",
    username: Annotated[str, typer.Option(help="Exactly this.")] = "",
    password: Annotated[str, typer.Option(help="Exactly this.")] = "",
    command_like: Annotated[str, typer.Option(help="Somewhere in the command; `%` stands for anything.")] = "",
    counted: Annotated[bool, typer.Option("--counted", help="Only the one telling of an action that counts.")] = False,
    columns: Annotated[str, typer.Option(help="Which, separated by commas; without it those that say most.")] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many; a table has 100 at most without it.")
    ] = None,
    sql: Annotated[str, typer.Option(help="One SELECT instead of all that, as a login that may only read views.")] = "",
    form: Annotated[Format, typer.Option("--format", help="`parquet` needs a file.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="A file instead of standard output.")] = None,
) -> None:
    """The rows that fit, newest first; those of the last 24 hours unless `--from` says otherwise. Times are UTC.

    Frozen days are found too, in the archive, but not by `--sql`: `rustbucket archive thaw` opens them.

    With `--sql`: over the views `events`, `sessions`, `quarantined`, `hourly_counts`, `rustbucket_hours`, `fleet` and
    others, at most 30 s, 100,000 rows and 64 MB. What attackers wrote is escaped in tables and CSV.

    Examples: `rustbucket events query --type command --command-like wget`,
    `rustbucket events query --from 7d --src-ip 192.0.2.0/24 --format parquet --output week.parquet`,
    `rustbucket events query --sql "SELECT src_ip, count(*) FROM events WHERE counted GROUP BY 1 ORDER BY 2 DESC"`.
    """
    now = datetime.now(UTC)
    filters = Filters(
        start=moment_named(from_, now),
        end=moment_named(to, now) if to else None,
        rustbuckets=rustbucket or (),
        event_types=_known("--type", event_type, EVENT_TYPES),
        protocols=_known("--protocol", protocol, PROTOCOLS),
        src_ip=src_ip,
        username=username,
        password=password,
        command_like=command_like,
        counted=counted,
    )
    if not sql:
        _query(filters, [name.strip() for name in columns.split(",") if name.strip()], limit, form, output)
    elif filters != Filters(start=filters.start) or columns or limit or from_ != _LAST_DAY:
        raise UsageError("--sql goes by itself: say all of it in the SELECT")
    else:
        _ask(sql, form, output)


@app.command()
def replay(
    from_: Annotated[str, typer.Option("--from", help="First hour: `2026-03-02`, `2026-03-02-04:00`, `36h` ago.")],
    to: Annotated[str, typer.Option("--to", help="Where to end; this hour is left out. Without it: now.")] = "",
    diff: Annotated[bool, typer.Option("--diff", help="Only show what would change, row by row.")] = False,
    rustbucket: Some = None,
    as_json: bool = JsonOption,
) -> None:
    """Parse archived hours again: after a new release, or to see that the rows still say what the bytes say.

    Without `--diff` the hours' rows are replaced, by the job that the schedule runs, and the sums before and after are
    shown. With `--diff` nothing is changed, and every row is compared; the exit code is 1 if any would change.

    Example: `rustbucket events replay --from 2026-03-02 --to 2026-03-03 --diff`
    """
    if rustbucket and not diff:
        raise UsageError("an hour is built for all rustbuckets at once; --rustbucket goes with --diff")
    now = datetime.now(UTC)
    start = window_at(moment_named(from_, now), HOUR).start
    end = moment_named(to, now) if to else now
    with opened() as (engine, settings), engine.connect() as connection:
        for rustbucket_id in rustbucket or ():
            registry.get(connection, rustbucket_id)
        hours = held_hours(connection, start, end)
        if not hours:
            raise UsageError("nothing is archived of that time; `rustbucket windows` shows what is")
        if diff:
            raise typer.Exit(show_differences(engine, settings, hours, rustbucket or (), as_json=as_json))
        rebuild(engine, hours)
    with opened() as (engine, _), engine.connect() as connection:
        show_rebuilt(hours, held_hours(connection, start, end), as_json=as_json)


def _query(filters: Filters, names: list[str], limit: int | None, form: Format, output: Path | None) -> None:
    glance = form is Format.TABLE and not names
    chosen = columns_named([*_GLANCED_AT, *_TOLD] if glance else names)
    most = limit or (ON_A_SCREEN if form is Format.TABLE else None)
    with opened() as (engine, settings):
        shelf = Shelf(settings, open_archive(settings))
        with engine.connect() as connection:
            for rustbucket_id in filters.rustbuckets:
                registry.get(connection, rustbucket_id)
        with closing(rows_found(engine, filters, chosen, most and most + 1, shelf)) as rows:
            first = islice(rows, most)
            if glance:
                put_rows(form, [Column(name, "text") for name in _GLANCE], _glances(first), output)
            else:
                put_rows(form, chosen, first, output)
            if limit is None and next(rows, None) is not None:
                errors.print(f"these are the newest {most}; --limit or another --format shows more", soft_wrap=True)


def _glances(rows: Iterator[Values]) -> Iterable[Values]:
    """What matters of each row; on a terminal, as much of it as fits on a line."""
    glances = (_glance(row) for row in rows)
    if not sys.stdout.isatty():
        return glances
    found = list(glances)
    if not found:
        errors.print("no rows fit; without --from only the last 24 hours are looked at")
    return _fitted(found)


def _glance(row: Values) -> Values:
    at, *who, event_id, command, username, password, method, path, message = row
    if command is not None:
        what = command
    elif username is not None or password is not None:
        what = f"{plain(username)} : {plain(password)}"
    else:
        what = message if path is None else f"{method} {path}"
    return at, *who, what, event_id


def _fitted(glances: list[Values]) -> list[Values]:
    short = [(plain(at)[5:], *(plain(one) for one in who), str(event_id)[:10]) for at, *who, _, event_id in glances]
    titles = [*_GLANCE[:5], _GLANCE[6]]
    others = sum(max(len(one) for one in column) + 2 for column in zip(titles, *short, strict=True))
    room = max(20, console.width - others)
    whats = (bounded(str(glance[5]), room) for glance in glances)
    return [(*line[:5], what, line[5]) for line, what in zip(short, whats, strict=True)]


def _ask(sql: str, form: Format, output: Path | None) -> None:
    with opened() as (_, settings):
        answer = ask(settings, sql, Limits())
    put_rows(form, columns_found(answer.columns, answer.rows), answer.rows, output)
    if answer.cut:
        errors.print(plain(answer.cut), soft_wrap=True)


def _known(option: str, values: list[str] | None, known: frozenset[str]) -> tuple[str, ...]:
    for value in values or ():
        if value not in known:
            raise UsageError(f"{option} {value!r}: no such value; there are {', '.join(sorted(known))}")
    return tuple(values or ())
