"""`rustbucket services`: the running system as a service of systemd. Printed, or installed."""

import os
import sys
from pathlib import Path

import typer

from rustbucket_pipeline.cli.opening import ready_settings
from rustbucket_pipeline.cli.output import say
from rustbucket_pipeline.control.services import Services, units

app = typer.Typer(
    help="`rustbucket up` as a service of systemd: yours, or the machine's for root.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)


@app.command()
def install() -> None:
    """Write, enable and start the units: the system, and a look at everything each five minutes. Twice changes nothing.

    Variables for them, keys too, belong into `service.env` of the home (`NAME=value` a line, mode 0600). A person's own
    services run while nobody is logged in after `loginctl enable-linger`.
    """
    settings = ready_settings()
    services = Services.of(os.getuid(), Path.home())
    changed = services.install(settings, _program())
    for path in changed:
        say(f"written: {path}")
    say("rustbucket runs as a service" if changed else "rustbucket runs as a service already; nothing changed")


@app.command()
def show() -> None:
    """Print the units, for other machines and for reading."""
    for name, text in units(ready_settings(), _program()).items():
        say(f"# {name}", style="bold")
        typer.echo(text)


def _program() -> Path:
    return Path(sys.executable).with_name("rustbucket")
