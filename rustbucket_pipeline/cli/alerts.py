"""`rustbucket alerts`: what is wrong, who was told, and what people do about it. It asks the desk and prints."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from rustbucket_pipeline.alerts import desk
from rustbucket_pipeline.alerts.desk import Alert
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, plain, print_json, print_table, say
from rustbucket_pipeline.cli.times import moment_named
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.errors import UsageError

app = typer.Typer(
    help="What is wrong, who was told, and what people do about it.\n\n"
    "Alerts close by themselves when their cause is gone. `docs/alerts.md` lists every kind.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

Numbers = Annotated[list[int], typer.Argument(metavar="NUMBER…", help="As `alerts list` shows them.")]
Reason = Annotated[str, typer.Option(help="Why, for whoever asks later.")]

COLOURS = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "cyan"}
LONGEST_CAUSE = 100


@app.command(name="list")
def list_(
    closed: Annotated[
        str | None, typer.Option(help="With those closed since then: `24h`, `7d`, `2026-03-02`.", show_default=False)
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only of this kind; may be repeated.")] = None,
    about: Annotated[str | None, typer.Option(help="Only about this subject, like `BKT100001`.")] = None,
    as_json: bool = JsonOption,
) -> None:
    """Every open alert, newest first. Times are UTC; one that lasts for a day is a severity worse.

    Examples: `rustbucket alerts list`, `… list --closed 7d --kind run_failed`, `… list --json`.
    """
    now = datetime.now(UTC)
    if unknown := set(kind or ()) - set(Kind):
        raise UsageError(f"no kind {sorted(unknown)[0]!r}; there are {', '.join(Kind)}")
    since = moment_named(closed, now) if closed else None
    with opened() as (engine, _), engine.connect() as connection:
        found = desk.listed(connection, since, kind or (), about)
    if as_json:
        print_json([_document(alert, now) for alert in found])
        return
    print_table(
        ("", "severity", "kind", "about", "since", "times", "state", "why"),
        [_line(alert, now) for alert in found],
    )
    if not found and sys.stdout.isatty():
        say("nothing is wrong, as far as is known", style="green")


@app.command()
def show(number: Annotated[int, typer.Argument(show_default=False)], as_json: bool = JsonOption) -> None:
    """One alert: what it means, what closes it, what people did about it and which targets were told.

    Example: `rustbucket alerts show 17`
    """
    now = datetime.now(UTC)
    with opened() as (engine, _), engine.connect() as connection:
        alert, story = desk.get(connection, number), desk.story_of(connection, number)
    kind = Kind(alert.kind) if alert.kind in set(Kind) else None
    means = {"means": kind.meaning, "closes": f"when {kind.ends}"} if kind else {}
    if as_json:
        print_json({**_document(alert, now), **means, "story": [asdict(act) for act in story]})
        return
    shown = {name: value for name, value in asdict(alert).items() if value is not None}
    print_table(("field", "value"), [*shown.items(), ("state", alert.state(now)), *means.items()])
    if story:
        print_table(
            ("when", "who", "what", "until", "why"), [(one.at, one.by, one.act, one.until, one.reason) for one in story]
        )


@app.command()
def ack(numbers: Numbers, reason: Reason = "") -> None:
    """Say that you see to them: they don't escalate, and nobody is told of them any more. It is noted who said so.

    Example: `rustbucket alerts ack 17 --reason "disk ordered"`
    """
    now = datetime.now(UTC)
    with opened() as (engine, _), engine.begin() as connection:
        _say(desk.acknowledge(connection, numbers, login(), reason, now), "acknowledged")


@app.command()
def snooze(
    numbers: Numbers,
    for_: Annotated[str, typer.Option("--for", help="How long: `30m`, `4h`, `2d`.")] = "4h",
    reason: Reason = "",
) -> None:
    """Be silent about them for a while; what is still wrong then is told. It is noted who said so.

    Example: `rustbucket alerts snooze 17 18 --for 2d --reason "moved on Tuesday"`
    """
    now = datetime.now(UTC)
    until = now + (now - moment_named(for_, now))  # so long ago, turned around
    with opened() as (engine, _), engine.begin() as connection:
        done = desk.snooze(connection, numbers, until, login(), reason, now)
    _say(done, f"silent until {until:%Y-%m-%d %H:%M} UTC")


@app.command()
def resolve(numbers: Numbers, reason: Reason = "") -> None:
    """Close them by hand; what is still wrong opens a new one. It is noted who did.

    Example: `rustbucket alerts resolve 17 --reason "the files are lost for good"`
    """
    now = datetime.now(UTC)
    with opened() as (engine, _), engine.begin() as connection:
        _say(desk.resolve(connection, numbers, login(), reason, now), "resolved")


def _line(alert: Alert, now: datetime) -> tuple[object, ...]:
    why = alert.cause if len(alert.cause) <= LONGEST_CAUSE else f"{alert.cause[:LONGEST_CAUSE]}…"
    state = Text(alert.state(now), style="" if alert.closed_at is None else "green")
    severity = Text(alert.severity, style=COLOURS.get(alert.severity, ""))
    return alert.id, severity, alert.kind, alert.subject, alert.opened_at, alert.count, state, why


def _document(alert: Alert, now: datetime) -> dict[str, object]:
    return {**asdict(alert), "state": alert.state(now)}


def _say(alerts: Sequence[Alert], what: str) -> None:
    for alert in alerts:
        say(f"{alert.id} ({alert.kind}, {plain(alert.subject)}): {what}")
