"""`rustbucket up`: the whole system on this machine, looked after: PostgreSQL, code server, daemon and web UI."""

import signal
import socket
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import NoReturn

import typer

from rustbucket_pipeline.cli.opening import ready_settings
from rustbucket_pipeline.cli.output import note
from rustbucket_pipeline.control.programs import alone, programs
from rustbucket_pipeline.control.supervisor import Supervisor
from rustbucket_pipeline.errors import RustbucketError, UsageError
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings
from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline.upkeep.outage import Watch

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

HOST = "127.0.0.1"
ROUND_SECONDS = 1.0
WATCH_SECONDS = 60.0


@app.command()
def up(
    port: int = typer.Option(3000, min=1, max=65535, help="Port of the web UI, on 127.0.0.1 only."),
    demo: bool = typer.Option(False, "--demo", help="Against a live simulated fleet, in the demo's own home."),
    read_only: bool = typer.Option(False, "--read-only", help="The web UI shows everything and can change nothing."),
) -> None:
    """Start Dagster's web UI and daemon on 127.0.0.1, schedules running. Stop with Ctrl-C.

    Whatever ends by itself is started again. Examples: `rustbucket up`, `rustbucket up --port 3001`,
    `rustbucket up --read-only`, `rustbucket up --demo`.
    """
    _require_free(port)
    signal.signal(signal.SIGTERM, _terminated)
    with ExitStack() as stack:
        if demo:
            from rustbucket_pipeline.cli.under_attack import under_attack  # 40 MiB, as long as we run

            stack.enter_context(under_attack())
        settings = ready_settings()
        lock = stack.enter_context(alone(settings))
        engine = open_database(settings)
        stack.callback(engine.dispose)
        started = stack.enter_context(programs(settings, port, read_only=read_only, structured=not sys.stdout.isatty()))
        supervisor = Supervisor(started, PROJECT_ROOT, note, held=(lock,))
        stack.callback(supervisor.stop)
        note(f"starting {', '.join(program.name for program in started)}; Ctrl-C stops everything")
        _look_after(settings, supervisor, port, Watch(engine, settings))


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            message = f"port {port} on {HOST} is taken or not yours; stop what uses it, or choose another with --port"
            raise UsageError(message) from None


def _terminated(_number: int, _frame: object) -> NoReturn:
    """SIGTERM ends everything as Ctrl-C does."""
    raise SystemExit(128 + signal.SIGTERM)


def _look_after(settings: Settings, supervisor: Supervisor, port: int, watch: Watch) -> NoReturn:
    """Round after round until interrupted: PostgreSQL too, for nothing else revives it under a running daemon.

    Each minute the database is looked at: while it is down, nobody else can tell people.
    """
    told, watched = False, 0.0
    while True:
        if time.monotonic() - watched >= WATCH_SECONDS:
            watched = time.monotonic()
            _watch(watch)
        if settings.database_url is None and not embedded.alive(settings.home):
            note("PostgreSQL has ended; starting it again")
            embedded.ensure(settings.home)
        supervisor.look_after()
        if not told and _listens(port):
            note(f"Dagster's UI: http://{HOST}:{port}", style="bold")
            told = True
        time.sleep(ROUND_SECONDS)


def _watch(watch: Watch) -> None:
    """One look; whatever is wrong with telling people, the system is looked after."""
    try:
        outage = watch.look(datetime.now(UTC))
    except RustbucketError as error:
        note(f"alerts: {error}", style="red")
        return
    if outage is not None and outage.up_since is None:
        note(f"PostgreSQL can't be used since {outage.since:%Y-%m-%d %H:%M:%S} UTC: {outage.why}", style="red")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
