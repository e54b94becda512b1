"""The one process with our definitions, shared by daemon and web server: its address, its life signs, its reload.

It is asked over gRPC, by method names rather than through Dagster's client: importing Dagster would cost whoever only
looks after it 40 MiB. Starting it is the supervisor's part.
"""

import os
import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

import grpc
import yaml

from rustbucket_pipeline.errors import ConfigurationError, TransientError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import private_directory, replace_text

LOCATION = "rustbucket_pipeline"
"""The code location's name, as in `workspace.yaml`: schedules that were switched on or off are kept under it."""

SOCKET_PATH = re.compile(r"/[A-Za-z0-9/._-]{1,100}")
"""Paths that gRPC takes as they are, and that are short enough for a socket everywhere."""

ANSWER_SECONDS = 30.0
RELOAD_SECONDS = 120.0


class _Method(Protocol):
    def __call__(self, request: bytes, timeout: float) -> bytes: ...


@contextmanager
def socket_for(settings: Settings) -> Generator[Path]:
    """Where the code server shall listen: in the home, or, if that path won't do, in a directory of its own.

    Raises:
        ConfigurationError: the home can't be written to.
    """
    usual = private_directory(settings.home / "run") / "code.sock"
    if SOCKET_PATH.fullmatch(os.fspath(usual)):
        yield usual
        return
    with tempfile.TemporaryDirectory(prefix="rustbucket-", dir="/tmp") as directory:
        yield Path(directory, "code.sock")


def write_workspace(settings: Settings, socket: Path) -> Path:
    """The workspace file by which Dagster's programs find the code server on that socket.

    Raises:
        ConfigurationError: it can't be written.
    """
    workspace = _workspace(settings)
    server = {"grpc_server": {"socket": os.fspath(socket), "location_name": LOCATION}}
    replace_text(workspace, yaml.safe_dump({"load_from": [server]}))
    return workspace


def answers(socket: Path) -> bool:
    """Whether the definitions are served there now; a busy server has half a minute."""
    try:
        _call(socket, "Ping", ANSWER_SECONDS)
    except grpc.RpcError:
        return False
    return True


def request_reload(settings: Settings) -> bool:
    """Have the running system load the definitions anew; whether one was running. Runs under way aren't touched.

    The web server and the daemon notice within seconds. Without a running system there is nothing to do: the next
    start loads them anyway.

    Raises:
        TransientError: it runs, and can't load them; the old ones stay.
    """
    socket = _served(_workspace(settings))
    if socket is None or not answers(socket):
        return False
    try:
        _call(socket, "ReloadCode", RELOAD_SECONDS)
    except grpc.RpcError:
        raise TransientError(
            "the code server didn't load the definitions anew; `rustbucket up` prints why, and a restart loads them"
        ) from None
    return True


def _workspace(settings: Settings) -> Path:
    return settings.home / "run" / "workspace.yaml"


def _served(workspace: Path) -> Path | None:
    try:
        kept = yaml.safe_load(workspace.read_text(encoding="utf-8"))
        return Path(kept["load_from"][0]["grpc_server"]["socket"])
    except FileNotFoundError:
        return None
    except (yaml.YAMLError, TypeError, LookupError, OSError) as error:
        raise ConfigurationError(f"{workspace} can't be read; delete it and start `rustbucket up` anew") from error


def _call(socket: Path, method: str, seconds: float) -> bytes:
    """Call a method whose request is empty. Raises `grpc.RpcError`."""
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        call = cast("_Method", channel.unary_unary(f"/api.DagsterApi/{method}"))
        return call(b"", timeout=seconds)
