"""The programs of a running system: code server, daemon, web server. How they are kept running: `supervisor`.

One code server for both others: each would else start one of its own, 190 MiB apiece.
"""

import fcntl
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rustbucket_pipeline.control import code_server
from rustbucket_pipeline.control.supervisor import Program
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import private_directory

DEFINITIONS = "rustbucket_pipeline.definitions"


@contextmanager
def alone(settings: Settings) -> Generator[int]:
    """Be the only running system of this home; yields a descriptor to hand to every program, which keeps it so.

    Raises:
        UsageError: another one runs, or is just ending: two daemons would start every run twice.
        ConfigurationError: the home can't be written to.
    """
    with (private_directory(settings.home / "run") / "up.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"`rustbucket up` runs already on {settings.home}; stop it, or set RUSTBUCKET_HOME to another home"
            ) from None
        yield lock.fileno()


@contextmanager
def programs(settings: Settings, port: int, *, read_only: bool, structured: bool) -> Generator[list[Program]]:
    """The programs in the order of their start; what they find each other by is gone afterwards.

    `structured`: they log JSON, an object a line, instead of text.

    Raises:
        ConfigurationError: the home can't be written to.
    """
    with code_server.socket_for(settings) as socket:
        workspace = os.fspath(code_server.write_workspace(settings, socket))
        serve = ["code-server", "start", "--module-name", DEFINITIONS, "--socket", os.fspath(socket)]
        named = ["--location-name", code_server.LOCATION, "--use-python-environment-entry-point"]
        web = ["-m", "rustbucket_pipeline.web.server", "--port", str(port), "--workspace", workspace]
        form = ["--log-format", "json"] if structured else []
        yield [
            Program(
                "the code server",
                [_installed("dagster"), *serve, *named, "--log-level", "warning", *form],
                partial(code_server.answers, socket),
            ),
            Program("the daemon", [_installed("dagster-daemon"), "run", "--workspace", workspace, *form]),
            Program("the web server", [sys.executable, *web, *(["--read-only"] if read_only else []), *form]),
        ]
        socket.unlink(missing_ok=True)


def _installed(program: str) -> str:
    return os.fspath(Path(sys.executable).with_name(program))
