"""`rustbucket demo`: the whole chain on a simulated fleet, and what it shows on one screen."""

import os
import shutil
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from rustbucket_pipeline.cli.output import JsonOption, console, plain, print_json, print_table, say
from rustbucket_pipeline.demo.home import environment, kept_play
from rustbucket_pipeline.demo.run import Outcome, run_demo
from rustbucket_pipeline.demo.simulate import MOST_RUSTBUCKETS
from rustbucket_pipeline.demo.story import Story
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage import embedded

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def demo(
    rustbuckets: int = typer.Option(6, min=1, max=MOST_RUSTBUCKETS, help="How many honeypots are simulated."),
    hours: int = typer.Option(8, min=4, max=168, help="How many hours are played in full: 4, 8, 12 …"),
    seed: int = typer.Option(1, help="Another seed plays other attacks."),
    fresh: bool = typer.Option(False, "--fresh", help="Throw the demo's home away first."),
    as_json: bool = JsonOption,
) -> None:
    """Simulate a fleet of honeypots under attack and run the whole chain on its logs, through Dagster.

    Everything stays in a home of its own beside yours; nothing leaves this machine, no key or account is used. At the
    end, all that was archived, parsed and found is compared with what the simulated attackers really did; the exit code
    is 1 if anything disagrees. A second run finds everything done and changes no count.

    Examples: `rustbucket demo`, `rustbucket demo --rustbuckets 20 --hours 12`, `rustbucket demo --json`.
    """
    if hours % 4:
        raise UsageError("the demo plays whole 4-hour windows; give --hours as 4, 8, 12 …")
    home = demo_home()
    if fresh:
        embedded.down(home)
        shutil.rmtree(home, ignore_errors=True)
    os.environ.update(environment(home))
    now = datetime.now(UTC)
    outcome = run_demo(home, kept_play(home, hours, rustbuckets, seed, now), now, _silent if as_json else shown)
    if as_json:
        print_json(_as_json(outcome))
    else:
        _print(outcome)
    if not outcome.agrees:
        raise typer.Exit(1)


def demo_home(suffix: str = "demo") -> Path:
    """Beside the real home, whatever that is."""
    home = load_settings().home
    return home.with_name(f"{home.name}-{suffix}")


@contextmanager
def shown(words: str) -> Generator[None]:
    """Say that a step is under way, and how long it took."""
    begun = time.monotonic()
    if sys.stderr.isatty():
        with console.status(words):
            yield
    else:
        yield
    console.print(Text.assemble(("✓ ", "green"), f"{words:<48}", (f"{time.monotonic() - begun:5.1f} s", "dim")))


@contextmanager
def _silent(_: str) -> Generator[None]:
    yield


def _print(outcome: Outcome) -> None:
    summary = outcome.summary
    console.print()
    say(f"{outcome.play.hours} hours of {summary.rustbuckets} rustbuckets, and a light week before", style="bold")
    ratio = summary.archived_bytes / max(1, summary.stored_bytes)
    print_table(
        ("what", "how much"),
        [
            ("pulled and archived", f"{summary.archived_bytes:,} bytes of {summary.files} files"),
            ("stored", f"{summary.stored_bytes:,} bytes in {summary.segments} segments ({ratio:.1f} times smaller)"),
            ("records", f"{summary.records:,}"),
            ("  events", f"{summary.events:,}"),
            ("  duplicates", f"{summary.duplicates:,} (the same record by two roads, or in two copies)"),
            ("  quarantined", f"{summary.quarantined:,} (kept, with their reason)"),
        ],
    )
    console.print()
    print_table(
        ("events by protocol", "count"),
        [(protocol, f"{count:,}") for protocol, count in summary.protocols.items()],
    )
    _print_checks(outcome)
    _print_story(outcome.story)
    _print_next()


def _print_checks(outcome: Outcome) -> None:
    console.print()
    wrong = [check for check in outcome.checks if not check.ok]
    if not wrong:
        say(f"✓ compared with what truly happened: {len(outcome.checks)} comparisons, all equal", style="green")
        return
    say(f"✗ {len(wrong)} of {len(outcome.checks)} comparisons with what truly happened disagree", style="bold red")
    print_table(("comparison", "true", "found"), [(check.name, check.expected, check.found) for check in wrong])


def _print_story(story: Story | None) -> None:
    if story is None:
        return
    lines = [
        Text.assemble((plain(story.severity).upper(), "bold red"), f"  {plain(story.title)}"),
        Text(plain(story.why)),
        Text(f"new since last week: {plain(', '.join(story.news)) or 'nothing'}"),
        Text(f"on {', '.join(story.rustbuckets)}; rule {story.rule}, ATT&CK {plain(story.technique)}"),
    ]
    for row in story.rows:
        lines += [
            Text(),
            Text(f"{row.event_ts:%H:%M:%S} UTC  {row.rustbucket_id}  {plain(row.src_ip)}  {plain(row.text)[:100]}"),
            Text(f"  event    {row.event_id}", style="dim"),
            Text(f"  object   {row.object_key}", style="dim"),
            Text(
                f"  bytes    {row.byte_length}, from {row.in_object} in it, from {row.byte_offset} in the log",
                style="dim",
            ),
            Text(f"  source   {plain(row.source_key)}", style="dim"),
        ]
    console.print()
    console.print(
        Panel(Group(*lines), title="the top finding, down to the bytes", title_align="left", border_style="yellow")
    )


def _print_next() -> None:
    started = Path(sys.argv[0])
    program = started if started.name == "rustbucket" and not shutil.which("rustbucket") else "rustbucket"
    console.print()
    say("where to look next", style="bold")
    for command, shows in (
        (f"RUSTBUCKET_HOME=.rustbucket-demo {program} report", "the newest report"),
        (f"{program} up --demo", "Dagster's UI: the lineage, every run, a live fleet"),
        (f"{program} fleet add --help", "your own honeypots"),
    ):
        console.print(Text.assemble(command, (f"  # {shows}", "dim")), soft_wrap=True)


def _as_json(outcome: Outcome) -> dict[str, object]:
    summary = outcome.summary
    return {
        "window": {"start": outcome.play.start, "end": outcome.play.end},
        "seed": outcome.play.seed,
        "rustbuckets": summary.rustbuckets,
        "files": summary.files,
        "archived_bytes": summary.archived_bytes,
        "stored_bytes": summary.stored_bytes,
        "segments": summary.segments,
        "records": summary.records,
        "events": summary.events,
        "quarantined": summary.quarantined,
        "duplicates": summary.duplicates,
        "events_by_protocol": dict(summary.protocols),
        "checks": [
            {"name": check.name, "expected": check.expected, "found": check.found, "ok": check.ok}
            for check in outcome.checks
        ],
        "agrees": outcome.agrees,
        "top_finding": asdict(outcome.story) if outcome.story else None,
    }
