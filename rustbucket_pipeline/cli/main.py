"""The `rustbucket` command's entry point: which nouns there are, and what becomes of an error."""

import importlib
import os
import sys

import typer
from typer.core import TyperGroup

from rustbucket_pipeline.cli.output import errors, fail
from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.settings import PROJECT_ROOT

HELP = """A Dagster data pipeline for fleets of Rustbucket honeypots.

Logs are pulled, archived unchanged, parsed into PostgreSQL and analysed. The same assets run by schedule, in Dagster's
UI and by `dagster asset materialize`.

See it work, without any set-up: `rustbucket demo`, then `rustbucket up --demo`.

Your own fleet: `rustbucket fleet add NAME --logs s3://bucket/prefix`, `rustbucket fleet approve ID`, `rustbucket up`;
some hours later `rustbucket report`.

Everything is kept in one directory, `RUSTBUCKET_HOME` (default: `.rustbucket` in the checkout). Times are UTC. In a
pipe, tables are plain tab-separated lines; most commands take `--json`."""

NOUNS = (
    *("demo", "up", "down", "fleet", "windows", "report", "events", "trace", "parse", "plan", "jobs", "archive"),
    *("alerts", "doctor", "upkeep", "backup", "stats", "dashboard", "logs", "rules", "eval", "keys", "db"),
)
"""Each is `cli/<noun>.py` with `app`, in the order people meet them."""


class Nouns(TyperGroup):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The nouns, in the order people meet them."""
        return list(NOUNS)

    def get_command(self, ctx: typer.Context, cmd_name: str):  # noqa: ANN201  # pyright: ignore[reportIncompatibleMethodOverride]
        """The noun's command, or None when there is none of that name. Typer keeps the type to itself."""
        if cmd_name not in NOUNS:
            return None
        module = importlib.import_module(f"rustbucket_pipeline.cli.{cmd_name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


root = typer.Typer(
    cls=Nouns,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@root.callback()
def rustbucket() -> None:
    """Let Typer treat the nouns as a group even if there were one."""


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
