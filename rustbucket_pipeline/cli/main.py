"""The `rustbucket` command's entry point: which nouns there are, and what becomes of an error."""

import importlib
import os
import sys

import click
import typer
from typer.core import TyperGroup

from rustbucket_pipeline.cli.output import errors, fail
from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.settings import PROJECT_ROOT

NOUNS = {
    "demo": "Run the whole chain on a simulated fleet, in a home of its own.",
    "up": "Start the web UI and the daemon, schedules running.",
    "down": "Stop the embedded PostgreSQL.",
    "fleet": "Who is out there: add, list, approve, retire, import rustbuckets.",
    "report": "What the last windows say.",
    "trace": "Follow an event down to the bytes in the archive.",
    "db": "The database: status, upgrade, shell.",
}
"""Each is `cli/<noun>.py` with `app`; imported only when asked for, so that `--help` is quick."""


class Nouns(TyperGroup):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The nouns, in the order people meet them."""
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The noun's command, or None when there is none of that name."""
        if cmd_name not in NOUNS:
            return None
        module = importlib.import_module(f"rustbucket_pipeline.cli.{cmd_name}")
        return typer.main.get_command(module.app)


def main() -> None:
    """Run the command line; every `RustbucketError` becomes one line and an exit code."""
    os.environ.setdefault("DAGSTER_HOME", str(PROJECT_ROOT))
    try:
        root(prog_name="rustbucket")
    except RustbucketError as error:
        fail(error)
    except KeyboardInterrupt:
        errors.print("stopped")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
