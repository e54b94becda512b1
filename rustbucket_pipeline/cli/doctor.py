"""`rustbucket doctor`: how everything is, for a person: one line each, what is wrong, and what to do about it."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from rustbucket_pipeline.cli.output import JsonOption, console, plain, print_json, print_table, say

if TYPE_CHECKING:
    from rustbucket_pipeline.upkeep.health import Component, Finding
    from rustbucket_pipeline.upkeep.task import Bench

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

COLOURS = {"ok": "green", "warning": "yellow", "error": "bold red", "unknown": "magenta"}
SIGNS = {"ok": "✓", "warning": "!", "error": "✗", "unknown": "?"}


@app.command()
def doctor(
    self_test: bool = typer.Option(
        False, "--self-test", help="Start everything in a scratch home, on a simulated fleet, and watch it work."
    ),
    alert: bool = typer.Option(
        False, "--alert", help="Open and close the alerts that follow, and tell people at once; of an outage, too."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Look at everything: rustbuckets, logs, database, archive, Claude, disks, clocks, daemon, jobs, backups.

    The exit code is 0 when all is well or only warned of, 1 when something is wrong or can't be told. Works with the
    database down, and without the daemon. `HEALTH_CHECK_COMPONENTS` selects what is looked at.

    Examples: `rustbucket doctor`, `rustbucket doctor --json`, `rustbucket doctor --self-test`.
    """
    if self_test:
        from rustbucket_pipeline.cli.self_test import self_test as do

        raise SystemExit(0 if do(as_json=as_json) else 1)
    found = _examined(alert=alert)
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        _print(found)
    counts = Counter(str(one.health) for one in found)
    raise SystemExit(1 if counts["error"] or counts["unknown"] else 0)


def _examined(*, alert: bool) -> "list[Finding]":
    from rustbucket_pipeline.upkeep.health_report import COMPONENTS

    with _bench() as bench:
        chosen = [one for one in COMPONENTS if one.name in bench.settings.health_components]
        found = list(_looked(bench, chosen))
        if alert:
            _alert(bench, chosen, found)
    return found


def _looked(bench: "Bench", components: "Sequence[Component]") -> "Generator[Finding]":
    """What each component finds, with a bar on a terminal."""
    from rustbucket_pipeline.upkeep.health import examine

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(components))
        for one in components:
            bar.update(task, description=one.name)
            yield from examine(bench, [one])
            bar.advance(task)


@contextmanager
def _bench() -> "Generator[Bench]":
    """Everything opened as far as it can be: what can't be used is what the doctor tells of."""
    from sqlalchemy import create_engine

    from rustbucket_pipeline.cli.opening import ready_settings
    from rustbucket_pipeline.control.instance import dagster_instance
    from rustbucket_pipeline.control.seen import Seen, Unseen
    from rustbucket_pipeline.errors import PermanentError, TransientError
    from rustbucket_pipeline.storage import databases
    from rustbucket_pipeline.storage.objects import open_archive
    from rustbucket_pipeline.storage.postgres import open_database
    from rustbucket_pipeline.upkeep.task import Bench

    settings = ready_settings()
    with ExitStack() as stack:
        try:
            engine = open_database(settings)
            stack.callback(engine.dispose)
            seen = Seen(stack.enter_context(dagster_instance()), engine, settings)
        except (PermanentError, TransientError) as error:
            engine = create_engine(databases.address(settings))
            stack.callback(engine.dispose)
            seen = Unseen(str(error))
        yield Bench(settings, engine, open_archive(settings), seen, _now(), clock=_now)


def _alert(bench: "Bench", components: "Sequence[Component]", found: "Sequence[Finding]") -> None:
    """The alerts that follow; with the database down, the outage alone is told, from its second look on."""
    from rustbucket_pipeline.alerts.kinds import Kind
    from rustbucket_pipeline.alerts.telling import tell
    from rustbucket_pipeline.upkeep.health import Health, note
    from rustbucket_pipeline.upkeep.outage import Watch

    Watch(bench.engine, bench.settings).look(_now())
    if any(one.kind is Kind.DATABASE_UNAVAILABLE and one.health is Health.ERROR for one in found):
        return
    with bench.engine.begin() as connection:
        note(connection, components, found, bench.now)
    outcome = tell(bench.engine, bench.settings, bench.now, forced=True)
    say(f"alerts: {outcome.messages} messages about {outcome.alerts} alerts")


def _print(found: "Sequence[Finding]") -> None:
    rows = [
        (
            Text(SIGNS[one.health], COLOURS[one.health]),
            one.component,
            one.subject,
            Text(plain(one.why), "" if one.health == "ok" else COLOURS[one.health]),
            one.do,
        )
        for one in found
    ]
    print_table(("", "what", "about", "how it is", "what to do"), rows)
    counts = Counter(str(one.health) for one in found)
    summary = ", ".join(f"{counts[health]} {health}" for health in COLOURS if counts[health])
    wrong = counts["error"] + counts["unknown"]
    say(summary, style="bold red" if wrong else "yellow" if counts["warning"] else "green")


def _now() -> datetime:
    return datetime.now(UTC)
