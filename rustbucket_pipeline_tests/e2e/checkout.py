"""A checkout of the project in a directory of its own, used as a person would: commands, no variable set."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rustbucket_pipeline.settings import PROJECT_ROOT

POLL_SECONDS = 0.3

TOP_LEVEL = ("pyproject.toml", "workspace.yaml", "dagster.yaml", "rustbucket_pipeline")


@dataclass(frozen=True)
class Checkout:
    """Where the project lies; its home is `.rustbucket` below, as by default. `variables`: what is configured."""

    root: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def at(cls, root: Path, **variables: str) -> "Checkout":
        root.mkdir(parents=True)
        for name in TOP_LEVEL:
            source = PROJECT_ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, root / name)
        return cls(root, variables)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of ours or Dagster's but what the checkout is told."""
        own = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": str(self.root), "LANG": "C.UTF-8"}
        return {**own, **self.variables}

    def run(self, module: str, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m module arguments` there."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def rustbucket(self, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the `rustbucket` command."""
        return self.run("rustbucket_pipeline.cli", *arguments, check=check, **more)

    def materialize(self, asset: str, partition: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Materialize one partition by Dagster's own command."""
        select = ("--select", asset, "--partition", partition)
        return self.run(
            "dagster", "asset", "materialize", "-m", "rustbucket_pipeline.definitions", *select, check=check
        )

    @property
    def uploads(self) -> Path:
        """Where the one rustbucket's uploader puts its files."""
        return self.root / ".rustbucket" / "sources" / "BKT100001"

    def upload(self, name: str, data: bytes) -> None:
        """Put a log file there."""
        folder = self.uploads / "instance"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a long-running `python -m module arguments`; what it prints goes to `output`."""
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def programs(self) -> dict[int, str]:
        """What works in the checkout, the database aside: command lines by process id."""
        found: dict[int, str] = {}
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended meanwhile
                if process.joinpath("cwd").readlink() == self.root:
                    command = process.joinpath("cmdline").read_text(encoding="utf-8")
                    found[int(process.name)] = command.replace("\0", " ")
        return found

    def program(self, name: str) -> int:
        """The process whose command line has this, 0 for none; the youngest, if an older one is just ending."""
        return max((pid for pid, command in self.programs().items() if name in command), default=0)

    def postgres(self) -> int:
        """The embedded server's process."""
        file = self.root / ".rustbucket" / "pg" / "postmaster.pid"
        return int(file.read_text(encoding="utf-8").split()[0])

    @property
    def output(self) -> Path:
        """What the program started last has printed."""
        return self.root / "output.log"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def graphql(port: int, query: str, **variables: object) -> Any:
    """Ask the web server."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        got = json.load(answer)
    assert "errors" not in got, got
    return got["data"]


def wait_for(port: int, server: subprocess.Popen[bytes], output: Path | None = None) -> None:
    """Return once the web server on that port answers, or fail if the program ends before, with what it printed."""
    while True:
        try:
            server.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            try:
                graphql(port, "{ version }")
            except (urllib.error.URLError, ConnectionError):
                continue
            return
        told = output.read_text(encoding="utf-8")[-4000:] if output else ""
        raise AssertionError(f"it ended with exit code {server.returncode}\n{told}")
