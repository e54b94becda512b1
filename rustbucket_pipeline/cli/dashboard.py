"""`rustbucket dashboard`: where the page is, and opening it. It is made by `rustbucket upkeep run dashboard`."""

import webbrowser
from datetime import UTC, datetime
from pathlib import Path

import typer

from rustbucket_pipeline.cli.opening import ready_settings
from rustbucket_pipeline.cli.output import say
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.upkeep.amounts import lasting
from rustbucket_pipeline.upkeep.dashboard.task import place_of

app = typer.Typer(
    help="One page of where everything stands: alerts, reports, what is new, completeness, fleet, jobs, cost.\n\n"
    "It is written every hour (`DASHBOARD_UPDATE_INTERVAL`), and at once by `rustbucket upkeep run dashboard`. It "
    "opens from disk and asks nobody.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)


@app.command(name="open")
def open_() -> None:
    """Open the page in this machine's browser; without one, say where it is."""
    place = _written()
    opened = webbrowser.open(place.as_uri())
    age = lasting(datetime.now(UTC) - datetime.fromtimestamp(place.stat().st_mtime, UTC))
    say(f"{'opened' if opened else 'open in a browser:'} {place.as_uri()} (written {age} ago)")


@app.command()
def path() -> None:
    """Print where the page is, for scripts.

    Example: `cp $(rustbucket dashboard path) /srv/www/index.html`
    """
    typer.echo(str(_written()))


def _written() -> Path:
    place = place_of(ready_settings())
    if not place.exists():
        raise UsageError("no dashboard was written yet; `rustbucket upkeep run dashboard` writes one now")
    return place
