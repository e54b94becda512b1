"""`rustbucket archive`: proof of what is archived, the bytes themselves, days that are frozen, sweeping."""

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from rustbucket_pipeline.archive.cat import source_bytes
from rustbucket_pipeline.archive.sweep import sweep
from rustbucket_pipeline.archive.verify import Selection, Verified, verify
from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, console, errors, print_json, print_table, say
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.model.window import EPOCH, HALF_HOUR, window_of_key
from rustbucket_pipeline.storage.closed_days import every_day
from rustbucket_pipeline.storage.freezing import thaw_day
from rustbucket_pipeline.storage.objects import open_archive

app = typer.Typer(
    help="What is archived: prove it, read it, sweep what no row names.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
_AGE = re.compile(r"(\d{1,6})([hd])", re.ASCII)

From = Annotated[str, typer.Option("--from", help="First half hour (UTC), like `2026-03-02-04:00` or `2026-03-02`.")]
To = Annotated[str, typer.Option("--to", help="Where to end; this half hour is left out.")]
Some = Annotated[list[str] | None, typer.Option("--rustbucket", metavar="BKT…", help="Only this one; may be repeated.")]


@app.command(name="verify")
def verify_(from_: From = "", to: To = "", rustbucket: Some = None, as_json: bool = JsonOption) -> None:
    """Read every archived byte again, and say what is missing, altered, orphaned, out of its chain, or not as signed.

    The exit code is 1 if anything is wrong.

    Example: `rustbucket archive verify --from 2026-03-02 --to 2026-03-03 --rustbucket BKT100001`
    """
    start, end = _border(from_, EPOCH), _border(to, FOREVER)
    with opened() as (engine, settings):
        with engine.connect() as connection:
            for rustbucket_id in rustbucket or ():
                registry.get(connection, rustbucket_id)
        selection = Selection(start, end, tuple(rustbucket or ()))
        with _progress() as progress:
            task = progress.add_task("reading", total=None)
            verified = verify(
                engine,
                open_archive(settings),
                settings,
                selection,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
    if as_json:
        print_json(asdict(verified))
    else:
        _print(verified)
    raise typer.Exit(1 if verified.problems else 0)


@app.command()
def cat(
    rustbucket_id: Annotated[str, typer.Argument(metavar="BKT…", show_default=False)],
    from_: From = "",
    to: To = "",
) -> None:
    """Write the bytes its sources held for a time to standard output, exactly, each verified.

    The archive keeps what came as it came: passwords, attackers' commands, control characters. Send it to a file.

    Example: `rustbucket archive cat BKT100001 --from 2026-03-02-04:00 --to 2026-03-02-08:00 > log`
    """
    start, end = _border(from_, EPOCH), _border(to, FOREVER)
    errors.print("note: these are the honeypot's own bytes, unredacted: secrets and attacks included", soft_wrap=True)
    with opened() as (engine, settings), engine.connect() as connection:
        for data in source_bytes(connection, open_archive(settings), rustbucket_id, start, end):
            sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@app.command(name="sweep")
def sweep_(
    older_than: Annotated[str, typer.Option(help="Only what was written longer ago: `36h`, `2d`.")] = "2d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list them.")] = False,
    as_json: bool = JsonOption,
) -> None:
    """Remove stored segments that no row names: leftovers of pulls that were killed. Safe beside a running pull.

    Example: `rustbucket archive sweep --older-than 2d --dry-run`
    """
    age = _age(older_than, "--older-than")
    with opened() as (engine, settings):
        swept = sweep(engine, open_archive(settings), age, datetime.now(UTC), dry_run=dry_run)
    if as_json:
        print_json({**asdict(swept), "removed": not dry_run})
        return
    print_table(("object",), ((key,) for key in swept.keys))
    done = "would be removed" if dry_run else "removed"
    say(f"{_many(len(swept.keys), 'orphan')} of {swept.bytes:,} bytes {done}")


@app.command()
def days(as_json: bool = JsonOption) -> None:
    """The days that aren't open: frozen (rows are Parquet in the archive), thawed, or expired.

    Example: `rustbucket archive days`
    """
    with opened() as (engine, _), engine.connect() as connection:
        closed = every_day(connection)
    if as_json:
        print_json([asdict(one) for one in closed])
        return
    columns = ("day", "state", "rows", "bytes", "since", "until")
    print_table(columns, ((one.day, one.state, one.rows, one.stored_bytes, one.since, one.until) for one in closed))
    if not closed:
        say("Every day is open: none is old enough to be frozen.")


@app.command()
def thaw(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="DAY", show_default=False)],
    for_: Annotated[str, typer.Option("--for", help="For how long: `36h`, `7d`.")] = "7d",
    as_json: bool = JsonOption,
) -> None:
    """Open a frozen day again: its rows come back into PostgreSQL, and may be built anew. Later it is frozen again.

    Of an expired day there are no rows to bring back; they can be built anew while its archived logs last.

    Example: `rustbucket archive thaw 2026-03-02 --for 7d`
    """
    now = datetime.now(UTC)
    until = now + _age(for_, "--for")
    with opened() as (engine, settings):
        thawed = thaw_day(engine, open_archive(settings), settings, day.date(), until, now)
    if as_json:
        print_json(asdict(thawed))
        return
    say(f"{thawed.day} is open until {thawed.until:%Y-%m-%d %H:%M} UTC: {thawed.rows:,} rows are back")


def _progress() -> Progress:
    """A bar on standard error, on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True, disable=not sys.stderr.isatty())


def _border(text: str, otherwise: datetime) -> datetime:
    if not text:
        return otherwise
    return window_of_key(text if len(text) > len("2026-03-02") else f"{text}-00:00", HALF_HOUR).start


def _age(text: str, option: str) -> timedelta:
    match = _AGE.fullmatch(text)
    if match is None:
        raise UsageError(f"{option} {text!r} is no age; write hours or days, like 36h or 2d")
    return timedelta(hours=int(match[1]) * (24 if match[2] == "d" else 1))


def _print(verified: Verified) -> None:
    for line in _lines(verified):
        console.print(Text(line, style="red" if verified.problems else "green"), soft_wrap=True)
    if verified.problems:
        rows = [(one.fault, one.rustbucket_id, one.subject, one.detail) for one in verified.problems]
        print_table(("what", "rustbucket", "where", "how"), rows)


def _lines(verified: Verified) -> Iterator[str]:
    looked = f"{_many(verified.segments, 'segment')} of {_many(verified.logs, 'log')}, {verified.bytes:,} bytes"
    if verified.problems:
        yield f"✗ {_many(len(verified.problems), 'problem')} in {looked}"
    else:
        yield f"✓ {looked}: all there, unaltered, in their chains"
    if verified.redacted:
        yield f"{_many(verified.redacted, 'segment')} redacted: an address was purged from them"
    if verified.expired:
        yield f"{_many(verified.expired, 'segment')} expired: deleted by retention, their place in the chain is kept"
    if verified.signed_until is None:
        yield "not signed: no manifest of this home yet; materialize archive_manifest"
    else:
        signed = f"{verified.signed_until:%Y-%m-%d %H:%M} UTC"
        yield f"{_many(verified.manifests, 'signed manifest')}, the newest of {signed}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
