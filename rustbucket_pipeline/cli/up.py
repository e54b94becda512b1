"""`rustbucket up`: the web UI and the daemon, and a PostgreSQL that is looked after while they run."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import typer

from rustbucket_pipeline.cli.demo import demo_home, shown
from rustbucket_pipeline.cli.opening import ready_settings
from rustbucket_pipeline.cli.output import say
from rustbucket_pipeline.demo.home import environment, kept_play
from rustbucket_pipeline.demo.live_fleet import live_fleet
from rustbucket_pipeline.demo.run import run_demo
from rustbucket_pipeline.errors import PermanentError, UsageError
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings
from rustbucket_pipeline.storage.postgres import open_database

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

HOST = "127.0.0.1"
LOOK_AFTER_SECONDS = 2.0
GIVE_UP_SECONDS = 20.0


@app.command()
def up(
    port: int = typer.Option(3000, min=1, max=65535, help="Port of the web UI, on 127.0.0.1 only."),
    demo: bool = typer.Option(False, "--demo", help="Against a live simulated fleet, in the demo's own home."),
) -> None:
    """Start Dagster's web UI and daemon on 127.0.0.1, schedules running. Stop with Ctrl-C.

    Examples: `rustbucket up`, `rustbucket up --port 3001`, `rustbucket up --demo`.
    """
    _require_free(port)
    with ExitStack() as stack:
        if demo:
            _attack(stack)
        settings = ready_settings()
        open_database(settings).dispose()
        processes = [
            _start(stack, "dagster-webserver", "--host", HOST, "--port", str(port)),
            _start(stack, "dagster-daemon", "run"),
        ]
        say(f"Dagster's UI: http://{HOST}:{port} (ready in some seconds; Ctrl-C stops everything)", style="bold")
        _look_after(settings, processes)


def _attack(stack: ExitStack) -> None:
    """Play the simulated fleet's past through, then let it live on; from here on the environment is the demo's own."""
    home, now = demo_home("live"), datetime.now(UTC)
    os.environ.update(environment(home))
    play = kept_play(home, hours=8, rustbuckets=6, seed=1, now=now)
    if not (home / "played").exists():
        run_demo(home, play, now, shown)
        (home / "played").touch()
    stack.enter_context(live_fleet(home, play, lambda: datetime.now(UTC)))


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            message = f"port {port} on {HOST} is taken or not yours; stop what uses it, or choose another with --port"
            raise UsageError(message) from None


def _start(stack: ExitStack, program: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start one of Dagster's programs in a session of its own, so that Ctrl-C reaches us alone, and we end it."""
    command = [str(Path(sys.executable).with_name(program)), *arguments, "--workspace", "workspace.yaml"]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, start_new_session=True)
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GIVE_UP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _look_after(settings: Settings, processes: list[subprocess.Popen[bytes]]) -> None:
    """Until something ends: keep PostgreSQL alive, for nothing else revives it under a running daemon."""
    while True:
        for process in processes:
            try:
                code = process.wait(LOOK_AFTER_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            program = Path(str(process.args[0])).name if isinstance(process.args, list) else "a program"
            raise PermanentError(f"{program} ended with exit code {code}; its output above says why")
        open_database(settings).dispose()
