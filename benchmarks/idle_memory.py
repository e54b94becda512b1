"""`python -m benchmarks.idle_memory`: what the idle system holds in memory, process by process, and what it would.

PSS: a page that several processes share counts once among them, so the sum is what the machine would get back. Linux.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.settings import PROJECT_ROOT
from rustbucket_pipeline.storage import embedded

SECONDS_TO_SETTLE = 45.0
SECONDS_TO_START = 300.0
MEBIBYTE_IN_KIB = 1024

WAYS = {
    "rustbucket up": [["rustbucket", "up", "--port", "PORT"]],
    "each on its own": [
        ["dagster-webserver", "--port", "PORT", "--workspace", "workspace.yaml"],
        ["dagster-daemon", "run", "--workspace", "workspace.yaml"],
    ],
    "dagster dev": [["dagster", "dev", "--port", "PORT", "--workspace", "workspace.yaml"]],
}
"""Ways to start the same system; the last two load the definitions once for each program."""

KINDS = {
    "/postgres": "PostgreSQL",
    "postgres:": "PostgreSQL",
    "rustbucket up": "supervisor",
    "dagster dev": "supervisor",
    "code-server start": "code server, its front",
    "api grpc": "definitions",
    "dagster-daemon": "daemon",
    "_daemon": "daemon",
    "web.server": "web server",
    "webserver": "web server",
}
"""What a process is, by its command line. Others are runs under way: no part of an idle system."""


def main() -> None:
    """Start each way in a home of its own, let it settle, and add up."""
    table = Table("process", *WAYS, box=None, pad_edge=False, caption="MiB (PSS)", caption_justify="left")
    found = [_measured(commands) for commands in WAYS.values()]
    for kind in sorted(set().union(*found), key=lambda kind: -found[0][kind]):
        table.add_row(kind, *(f"{one[kind]:.0f}" if one[kind] else "–" for one in found))
    table.add_row("all", *(f"{sum(one.values()):.0f}" for one in found), style="bold")
    Console(width=100).print(table)


def _measured(commands: list[list[str]]) -> Counter[str]:
    """MiB of each kind of process, once the web server answers and everything had time to settle."""
    home, port = Path(tempfile.mkdtemp(prefix="rustbucket-bench-")), _free_port()
    programs = Path(sys.executable).parent
    with (home / "output.log").open("wb") as output:
        processes = [
            subprocess.Popen(
                [programs / command[0], *(port if word == "PORT" else word for word in command[1:])],
                cwd=PROJECT_ROOT,
                env=os.environ | environment(home) | {"DAGSTER_HOME": str(PROJECT_ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            for command in commands
        ]
        try:
            _wait_for(f"http://127.0.0.1:{port}/server_info")
            time.sleep(SECONDS_TO_SETTLE)
            return _memory({process.pid for process in processes}, home)
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()
            embedded.down(home)
            shutil.rmtree(home, ignore_errors=True)


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise TimeoutError(url)


def _memory(roots: set[int], home: Path) -> Counter[str]:
    found, processes = Counter[str](), {pid: (parent, command) for pid, parent, command in _processes()}
    roots |= {pid for pid, (_, command) in processes.items() if os.fspath(home / "pg") in command}
    for pid, (_, command) in processes.items():
        kind = next((kind for words, kind in KINDS.items() if words in command), None)
        if kind is not None and roots & set(_line(pid, processes)):
            with suppress(OSError):  # it ended meanwhile
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
                pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
                found[kind] += int(pss.split()[1]) / MEBIBYTE_IN_KIB
    return found


def _line(pid: int, processes: dict[int, tuple[int, str]]) -> Iterator[int]:
    """The process, its parent, and so on."""
    while pid in processes:
        yield pid
        pid = processes[pid][0]


def _processes() -> Iterator[tuple[int, int, str]]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parent = (
                process.joinpath("stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
            )
        except OSError:  # it ended meanwhile
            continue
        yield int(process.name), int(parent), command


if __name__ == "__main__":
    main()
