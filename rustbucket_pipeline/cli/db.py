"""`rustbucket db`: the database behind everything: how it is, its schema, a shell. It asks storage and prints."""

import os
import shutil
from dataclasses import asdict

import typer

from rustbucket_pipeline.cli.output import JsonOption, print_json, print_table, say
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage import databases, embedded, postgres
from rustbucket_pipeline.storage.status import database_status

app = typer.Typer(
    help="The database: how it is, its schema, a shell.\n\n"
    "Unless `RUSTBUCKET_DATABASE_URL` names another, it is an embedded PostgreSQL in the home that starts by itself.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command()
def status(as_json: bool = JsonOption) -> None:
    """Which server, which version, at which schema, how large. Starts the embedded one; changes nothing else.

    Example: `rustbucket db status --json`
    """
    found = database_status(load_settings())
    if as_json:
        print_json(asdict(found))
        return
    schema = f"{found.schema_revision or 'none yet'} of {found.schema_head}"
    print_table(
        ("", ""),
        [
            ("server", f"{found.server}, PostgreSQL {found.version}"),
            ("at", found.place),
            ("schema", schema if found.ready else f"{schema}; run `rustbucket db upgrade`"),
            ("our data", _megabytes(found.database_bytes)),
            ("Dagster's history", _megabytes(found.history_bytes)),
        ],
    )


@app.command()
def upgrade() -> None:
    """Bring our schema, and that of Dagster's history, to this release. Twice changes nothing.

    The release before can still work on our schema, but not on the history: stop what runs first. The embedded
    database is upgraded by its first use; another one only by this.

    Example: `rustbucket db upgrade`
    """
    from rustbucket_pipeline.control.history_schema import upgrade_history  # a second that only this command pays

    settings = load_settings()
    state = postgres.upgrade(settings)
    say(f"the schema is at {state.revision}")
    history = upgrade_history(settings)
    say(f"Dagster's history is at {history.revision}" if history else "Dagster has no history yet")


@app.command()
def down() -> None:
    """Stop the embedded PostgreSQL, disconnecting whoever uses it; nothing is lost, the next command starts it again.

    Example: `rustbucket db down`
    """
    settings = load_settings()
    if settings.database_url is not None:
        raise UsageError("RUSTBUCKET_DATABASE_URL names a server that isn't ours to stop; stop it where it runs")
    stopped = embedded.down(settings.home)
    say("PostgreSQL is stopped" if stopped else f"no PostgreSQL was running in {settings.home}")


@app.command(context_settings=PASS_ON)
def shell(context: typer.Context) -> None:
    """Open `psql` on our database; what follows goes to psql.

    Examples: `rustbucket db shell`, `rustbucket db shell -c "SELECT count(*) FROM log_events"`
    """
    settings = load_settings()
    postgres.open_database(settings).dispose()
    url = databases.address(settings)
    environment = dict(os.environ)
    if url.password:
        environment["PGPASSWORD"] = url.password  # not among the arguments, which every account can read
    program = _psql(settings)
    os.execve(program, [program, databases.dsn(url.set(password=None)), *context.args], environment)  # noqa: S606


def _psql(settings: Settings) -> str:
    """The embedded server's own; for another server the machine's, if it has one: ours speaks no TLS."""
    own = str(embedded.programs() / "psql")
    return own if settings.database_url is None else shutil.which("psql") or own


def _megabytes(size: int | None) -> str:
    return "none yet" if size is None else f"{size / 1e6:,.1f} MB"
