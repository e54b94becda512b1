"""`rustbucket fleet`: who is out there. It asks the registry and prints; no rule of its own."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, errors, plain, print_json, print_table, say
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.errors import BadFile, UsageError
from rustbucket_pipeline.fleet import approval, holds, registry
from rustbucket_pipeline.fleet.entry import FIELDS, Rules, read_entry
from rustbucket_pipeline.fleet.history import alerts_of, newest_outcomes, observations_of
from rustbucket_pipeline.fleet.importing import import_file
from rustbucket_pipeline.model.rustbucket import Rustbucket

app = typer.Typer(
    help="Who is out there: register rustbuckets, approve them, see how they are.\n\n"
    "A rustbucket is registered for review, and asked or pulled only once it is approved.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

Ids = Annotated[list[str], typer.Argument(help="Ids, like `BKT100001`.", show_default=False)]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What people call it.", show_default=False)],
    logs: Annotated[
        str, typer.Option(help="Where its uploader puts logs: `s3://bucket/prefix` or `file:///directory`.")
    ] = "",
    url: Annotated[str, typer.Option(help="Where it serves the contract itself: `https://host[:port][/path]`.")] = "",
    ip: Annotated[str, typer.Option(help="Its IP address.")] = "",
    os: Annotated[str, typer.Option(help="Its operating system.")] = "",
    s3_region: Annotated[str, typer.Option(help="Where the bucket lies; without it S3 is asked.")] = "",
    s3_owner: Annotated[str, typer.Option(help="Account that must own the bucket (12 digits).")] = "",
    rustbucket_id: Annotated[str, typer.Option("--id", help="Its id; without it the next free one.")] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token it wants to see; `-` reads standard input.", allow_dash=True),
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Register a rustbucket for review.

    Example: `rustbucket fleet add edge-1 --logs s3://my-logs/honeypot-logs/BKT100001`
    """
    fields = {"id": rustbucket_id, "name": name, "base_url": url, "logs_url": logs, "ip_address": ip, "os": os}
    fields |= {"s3_region": s3_region, "s3_owner": s3_owner}
    with opened() as (engine, settings):
        entry, problems = read_entry({**fields, "token": _token(token_file)}, Rules.of(settings))
        if entry is None:
            raise UsageError("; ".join(problems))
        with engine.begin() as connection:
            added = registry.add(connection, settings, entry, datetime.now(UTC))
    _report([added], as_json, "registered for review; `rustbucket fleet approve` lets it in")


@app.command(name="list")
def list_(as_json: bool = JsonOption) -> None:
    """Every rustbucket, and how each was when last observed. Times are UTC.

    Example: `rustbucket fleet list --json`
    """
    with opened() as (engine, _), engine.connect() as connection:
        fleet = registry.everyone(connection)
        outcomes = newest_outcomes(connection)
    if as_json:
        print_json([{**asdict(rustbucket), "outcome": outcomes.get(rustbucket.id)} for rustbucket in fleet])
        return
    print_table(
        ("id", "name", "status", "http", "last observed", "last seen", "logs until"),
        (
            (one.id, one.name, one.status, _yes(one.http_allowed), outcomes.get(one.id), one.last_seen, one.last_log_at)
            for one in fleet
        ),
    )
    if not fleet and sys.stdout.isatty():
        say("No rustbuckets yet; `rustbucket fleet add --help` shows how to register one.")


@app.command()
def show(
    rustbucket_id: Annotated[str, typer.Argument(metavar="ID", show_default=False)], as_json: bool = JsonOption
) -> None:
    """One rustbucket: what is registered, its open alerts and its last ten observations. Times are UTC.

    Example: `rustbucket fleet show BKT100001`
    """
    with opened() as (engine, _), engine.connect() as connection:
        rustbucket = registry.get(connection, rustbucket_id)
        open_alerts = alerts_of(connection, rustbucket_id)
        observations = observations_of(connection, rustbucket_id, 10)
    if as_json:
        seen = [asdict(one) for one in observations]
        print_json({**asdict(rustbucket), "alerts": [asdict(one) for one in open_alerts], "observations": seen})
        return
    print_table(("field", "value"), asdict(rustbucket).items())
    if open_alerts:
        print_table(
            ("alert", "severity", "since", "times", "cause"),
            ((one.kind, one.severity, one.opened_at, one.count, one.cause) for one in open_alerts),
        )
    if observations:
        print_table(
            ("observed", "outcome", "ms", "cpu %", "memory %", "disk %", "detail"),
            (
                (one.observed_at, one.outcome, one.latency_ms, one.cpu, one.memory, one.disk, one.detail)
                for one in observations
            ),
        )


@app.command()
def approve(
    ids: Ids,
    http: Annotated[
        bool | None,
        typer.Option("--http/--no-http", help="Allow asking it over HTTP, if it answers a probe; or forbid it."),
    ] = None,
    plain_http: Annotated[
        bool, typer.Option(help="With --http: allow it without TLS. Its token can be read on the way.")
    ] = False,
    as_json: bool = JsonOption,
) -> None:
    """Let rustbuckets in: from now on their logs are pulled. All of those named, or none.

    Example: `rustbucket fleet approve BKT100001 BKT100002`
    """
    if plain_http and not http:
        raise UsageError("--plain-http goes with --http only; add it")
    now = datetime.now(UTC)
    with opened() as (engine, settings):
        if http:
            _report(approval.approve_http(engine, settings, ids, now, plain_http=plain_http), as_json, "approved")
        elif http is None:
            _report(approval.approve(engine, ids, now), as_json, "approved")
        else:
            _report(approval.forbid_http(engine, ids, now), as_json, "not asked over HTTP any more")


@app.command()
def retire(ids: Ids, as_json: bool = JsonOption) -> None:
    """Ask and pull rustbuckets no more. What was archived of them stays.

    Example: `rustbucket fleet retire BKT100001`
    """
    with opened() as (engine, _), engine.begin() as connection:
        retired = [registry.retire(connection, rustbucket_id, datetime.now(UTC)) for rustbucket_id in ids]
    _report(retired, as_json, "retired")


@app.command()
def hold(
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why, for those who look later.", show_default=False)],
    as_json: bool = JsonOption,
) -> None:
    """Keep everything of rustbuckets, whatever its age, until the hold is released: a legal hold.

    Example: `rustbucket fleet hold BKT100001 --reason "case 2026-17"`
    """
    with opened() as (engine, _), engine.begin() as connection:
        held = holds.hold(connection, ids, login(), reason, datetime.now(UTC))
    _report_holds(held, as_json)


@app.command()
def release(ids: Ids, as_json: bool = JsonOption) -> None:
    """End the hold of rustbuckets: what is old of them goes with the next housekeeping.

    Example: `rustbucket fleet release BKT100001`
    """
    with opened() as (engine, _), engine.begin() as connection:
        released = holds.release(connection, ids, login(), datetime.now(UTC))
    _report_holds(released, as_json)


@app.command(name="holds")
def holds_(as_json: bool = JsonOption) -> None:
    """Every legal hold there is or was. Times are UTC.

    Example: `rustbucket fleet holds`
    """
    with opened() as (engine, _), engine.connect() as connection:
        _report_holds(holds.every_hold(connection), as_json)


@app.command(name="purge-address")
def purge_address(
    address: Annotated[str, typer.Argument(help="An IPv4 or IPv6 address.", show_default=False)],
    sure: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: bool = JsonOption,
) -> None:
    """Take one address out of everything that is kept: rows, frozen days, digests, reports and archived bytes.

    It is overwritten with `#` for good; the ledger keeps that, when and by whom, and `rustbucket archive verify` counts
    such segments as redacted. Backups can't be changed: those that still hold it are listed with their end.

    Example: `rustbucket fleet purge-address 192.0.2.7`
    """
    from rustbucket_pipeline.cli.purging import purge  # and with it the archive's room, here only

    purge(address, sure=sure, as_json=as_json)


@app.command(
    name="import",
    help=f"""Register every rustbucket of a CSV, JSON or YAML file for review: all or none.

    Fields: {", ".join(FIELDS)}; needed are name and logs_url or base_url. Importing a file again changes nothing.

    Example: `rustbucket fleet import fleet.csv`""",
)
def import_(file: Annotated[Path, typer.Argument(show_default=False)], as_json: bool = JsonOption) -> None:
    """Register a file of rustbuckets."""
    with opened() as (engine, settings):
        try:
            imported = import_file(engine, settings, file, datetime.now(UTC))
        except BadFile as error:
            for problem in error.problems:
                errors.print(plain(problem), markup=False, soft_wrap=True)
            raise
    if as_json:
        print_json(asdict(imported))
        return
    say(f"{len(imported.added)} registered for review, {len(imported.unchanged)} registered before")
    for rustbucket_id in imported.added:
        say(rustbucket_id)


def _token(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return (sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--token-file {file}: can't be read as text; name a readable file") from error


def _report(fleet: list[Rustbucket], as_json: bool, done: str) -> None:
    if as_json:
        print_json([asdict(rustbucket) for rustbucket in fleet])
        return
    for rustbucket in fleet:
        say(f"{rustbucket.id} ({rustbucket.name}): {done}")


def _report_holds(found: list[holds.Hold], as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in found])
        return
    columns = ("rustbucket", "held since", "by", "why", "released", "by")
    print_table(columns, (tuple(asdict(one).values()) for one in found))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
