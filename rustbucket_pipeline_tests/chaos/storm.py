"""What may happen to stores and machines: an S3 that fails at random, a PostgreSQL that is killed, a loss of power."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from rustbucket_pipeline_tests.archive.s3_front import ERROR, Door, Handler
from rustbucket_pipeline_tests.chaos.puller import note_durable

ERRORS = {
    "internal error": (500, "InternalError"),
    "slow down": (503, "SlowDown"),
    "unavailable": (503, "ServiceUnavailable"),
    "denied": (403, "AccessDenied"),
    "bad gateway": (502, "BadGateway"),
    "too many": (429, "TooManyRequests"),
}
"""Answers without an effect."""

BREAKS = ("hung up before", "hung up after", "partial", "failed after", "stalled")
"""Ends of a connection, with or without an effect: an answer that is lost, cut, or comes too late."""

STALL_SECONDS = 1.2
"""Longer than the archiving process waits."""


@dataclass
class Weather:
    """How often a request fails, and how; `stalls` is how many may come too late. `seen` counts what it was."""

    rng: Random = field(default_factory=Random)
    rate: float = 0.0
    stalls: int = 0
    seen: Counter[str] = field(default_factory=Counter[str])
    over: threading.Event = field(default_factory=threading.Event)

    def next(self) -> str | None:
        if self.rng.random() >= self.rate:
            return None
        fault = self.rng.choice([*ERRORS, *BREAKS] if self.stalls else [*ERRORS, *BREAKS[:-1]])
        self.stalls -= fault == "stalled"
        self.seen[fault] += 1
        return fault


class StormyDoor(Door):
    """A door to an S3 server through which not every request comes, nor every answer."""

    def __init__(self, behind: str) -> None:
        super().__init__(behind)
        self.RequestHandlerClass = StormyHandler
        self.weather = Weather()

    def handle_error(self, *_: object) -> None:
        """Clients are killed here; nobody needs to know."""


class StormyHandler(Handler):
    """One connection."""

    server: StormyDoor

    def handle_stormy(self) -> None:
        self.fault = self.server.weather.next()
        if self.fault in ERRORS:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._refuse(*ERRORS[self.fault])
        elif self.fault == "hung up before":
            self.close_connection = True
        else:
            self.handle_any()

    def reply(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        if self.fault == "stalled":
            self.server.weather.over.wait(STALL_SECONDS)
        if self.fault == "failed after":
            self._refuse(500, "InternalError")
        elif self.fault in BREAKS and (self.fault != "partial" or not body):
            self.close_connection = True
        elif self.fault == "partial":
            self.close_connection = True
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **dict(headers)}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
        else:
            super().reply(status, body, headers)

    def _refuse(self, status: int, code: str) -> None:
        self.fault = None
        super().reply(status, ERROR.format(code).encode(), [("Content-Type", "application/xml")])

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_stormy


@contextmanager
def storm_before(server: str) -> Generator[StormyDoor]:
    """Open a stormy door in front of the S3 server at that endpoint."""
    door = StormyDoor(urlsplit(server).netloc)
    thread = threading.Thread(target=door.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.weather.over.set()
        door.shutdown()
        door.server_close()
        thread.join(5)


def kill_postgres(home: Path, rng: Random) -> str:
    """SIGKILL the server's first process, or one that serves somebody: then the first one starts all of them anew."""
    first = int((home / "pg" / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
    serving = [pid for pid in _children(first) if _serves_rustbucket(pid)]
    victim = rng.choice(sorted(serving)) if serving and rng.random() < 0.5 else first
    os.kill(victim, signal.SIGKILL)
    return "all of PostgreSQL" if victim == first else "a backend of PostgreSQL"


def lose_power(archive: Path, durable: Path, rng: Random) -> int:
    """What wasn't durable vanishes, turns empty, is cut, or happens to be there; how many objects that hit."""
    kept: dict[str, int] = json.loads(durable.read_text(encoding="utf-8")) if durable.exists() else {}
    hit = 0
    for path in sorted(path for path in archive.rglob("*") if path.is_file()):
        size = path.stat().st_size
        if kept.get(str(path.relative_to(archive))) == size:
            continue
        left = rng.choice([None, 0, size // 2, size])
        hit += left != size
        if left is None:
            path.unlink()
        else:
            os.truncate(path, left)
    note_durable(archive, durable)
    return hit


def _children(pid: int) -> list[int]:
    listed = Path("/proc", str(pid), "task", str(pid), "children")
    return [int(word) for word in listed.read_text(encoding="ascii").split()] if listed.exists() else []


def _serves_rustbucket(pid: int) -> bool:
    try:
        return b" rustbucket " in Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return False
