"""A whole run beside something hostile: two healthy rustbuckets, polls and pulls, and what must hold whatever answers.

Measured is what a run does to us: its seconds, the memory it takes, and every address a connection was tried to.
"""

import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import zstandard
from sqlalchemy import Engine, insert, select

from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.opening import openers
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Rules, read_entry
from rustbucket_pipeline.fleet.status import observe_fleet
from rustbucket_pipeline.fleet.tokens import token_reader
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.asking import EXTRACT_LOGS
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbucket_status, rustbuckets, segments
from rustbucket_pipeline_tests.net.loopback import VITALS, Behaviour, Loopback, Peer, answer, loopback

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = NINE + timedelta(hours=2)
SINCE = NINE - timedelta(days=30)

MOST_SECONDS = 12.0
"""A poll and a pull, each with a deadline of two seconds, on a busy machine; what hangs would do so for ever."""

MOST_MEGABYTES = 64
"""What a run may take on top of what the process has: hostile answers are tens of times larger."""

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"


def line(time: str, words: str = "New connection") -> bytes:
    """A record as a rustbucket writes it."""
    said = f'"level":"INFO","fields":{{"message":"{words}"}},"target":"rustbucket::ssh"'
    return f'{{"timestamp":"{time}",{said}}}\n'.encode()


def log_of(words: str, minutes: int = 59) -> bytes:
    """A record a minute, from nine o'clock on."""
    return b"".join(line(f"{NINE + timedelta(minutes=minute):{STAMP}}", words) for minute in range(minutes))


LOG_NAME = f"rustbucket.log.{NINE:%Y-%m-%d-%H}"
FILE_LOG = log_of("healthy, by file")
HTTP_LOG = log_of("healthy, by HTTP")
BY_FILE, BY_HTTP = "BKT100001", "BKT100002"
TOKEN, OTHERS_TOKEN = "token-of-the-healthy-one", "token-of-the-hostile-one"

_tried: list[tuple[str, int]] | None = None


def _note_connection(event: str, arguments: tuple[object, ...]) -> None:
    if _tried is not None and event == "socket.connect" and isinstance(address := arguments[1], tuple):
        _tried.append((address[0], address[1]))


sys.addaudithook(_note_connection)


@dataclass(frozen=True)
class Ran:
    """What a run left behind: outcome and reason by rustbucket, open alerts with their cause, and what it cost."""

    outcomes: dict[str, tuple[str, str]]
    failed: dict[str, str]
    alerts: dict[tuple[str, str], str]
    seconds: float
    megabytes: float
    tried: list[tuple[str, int]]


@dataclass
class Collector:
    """Our side. `run` may be called again and again; time goes on by a quarter of an hour each."""

    engine: Engine
    settings: Settings
    archive: Archive
    sources: Path
    healthy: Loopback
    s3_client: Callable[[str | None], object] = lambda _: None
    runs: int = 0

    def register(self, name: str, *, http: bool = True, plain: bool = True, **fields: str) -> str:
        """Add a rustbucket as an operator does, and let it in; its id."""
        entry, problems = read_entry({"name": name, "token": OTHERS_TOKEN, **fields}, Rules.of(self.settings))
        assert entry, problems
        with self.engine.begin() as connection:
            added = registry.add(connection, self.settings, entry, SINCE)
            registry.approve(connection, added.id, SINCE)
            registry.set_http(connection, added.id, allowed=http, plain=plain)
        return added.id

    def plant(self, rustbucket_id: str, **columns: object) -> str:
        """Put a row past all rules, as a tool of somebody's might."""
        row = {"id": rustbucket_id, "name": "planted", "status": "active", "registered_at": SINCE}
        with self.engine.begin() as connection:
            connection.execute(insert(rustbuckets).values({**row, "http_allowed": True, "plain_http": True, **columns}))
        return rustbucket_id

    def refused(self, **fields: str) -> list[str]:
        """Why an operator can't register that."""
        entry, problems = read_entry({"name": "hostile", **fields}, Rules.of(self.settings))
        assert entry is None, fields
        return problems

    def write(self, folder: str, data: bytes, name: str = LOG_NAME) -> Path:
        """Leave a log file where an uploader would."""
        path = self.sources / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def run(self, *others: str) -> Ran:
        """Poll and pull the whole fleet; then check what must hold whatever happened.

        Nothing but 127.0.0.1 and these other addresses may have been connected to.
        """
        now = NOW + self.runs * timedelta(minutes=15)
        self.runs += 1
        with _measured() as cost:
            observe_fleet(self.engine, self.settings, now)
            fleet, tokens = registry.active_rustbuckets(self.engine), token_reader(self.engine, self.settings)
            paused = breaker.paused(self.engine, EXTRACT_LOGS, now)
            roads = openers(fleet, self.settings, self.s3_client, tokens, paused)  # type: ignore[arg-type]
            pulled = pull_fleet(PullContext(self.engine, self.archive, SINCE, now, "run"), roads, [])
        with self.engine.connect() as connection:
            seen = connection.execute(select(rustbucket_status).where(rustbucket_status.c.observed_at == now)).all()
            raised = connection.execute(select(alerts).where(alerts.c.closed_at.is_(None))).all()
        ran = Ran(
            {row.rustbucket_id: (row.outcome, row.detail or "") for row in seen},
            pulled.failed,
            {(row.kind, row.subject): row.cause for row in raised},
            cost.seconds,
            cost.megabytes,
            cost.tried,
        )
        self._check(ran, {"127.0.0.1", *others})
        return ran

    def archived(self, rustbucket_id: str) -> bytes:
        """Everything archived of a rustbucket, in order."""
        query = select(segments).where(segments.c.rustbucket_id == rustbucket_id)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(segments.c.log_id, segments.c.byte_start)).all()
        return b"".join(zstandard.decompress(self.archive.get(row.object_key)) for row in rows)

    def _check(self, ran: Ran, allowed: set[str]) -> None:
        assert ran.seconds < MOST_SECONDS
        assert ran.megabytes < MOST_MEGABYTES
        assert (self.archived(BY_FILE), self.archived(BY_HTTP)) == (FILE_LOG, HTTP_LOG), ran.failed
        assert ran.outcomes[BY_HTTP] == ("ok", "")
        assert {address for address, _ in ran.tried} <= allowed
        assert OTHERS_TOKEN.encode() not in b"".join(self.healthy.requests)


@dataclass
class _Cost:
    seconds: float = 0.0
    megabytes: float = 0.0
    tried: list[tuple[str, int]] = field(default_factory=list)


@contextmanager
def _measured() -> Generator[_Cost]:
    """Seconds, most resident memory above that at the beginning, and where connections were tried to."""
    global _tried
    cost = _Cost()
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before, begun, _tried = _megabytes("VmRSS"), time.monotonic(), cost.tried
    try:
        yield cost
    finally:
        _tried = None
        cost.seconds = time.monotonic() - begun
        cost.megabytes = _megabytes("VmHWM") - before


def _megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def by_path(vitals: Behaviour, log: Behaviour) -> Behaviour:
    """One answer for polls, another for pulls."""

    def behave(peer: Peer) -> None:
        (log if b"/extract_logs " in peer.request else vitals)(peer)

    return behave


def by_folder(behaviours: Mapping[str, Behaviour]) -> Behaviour:
    """Each of several rustbuckets answers in its own way: the first part of the path says which."""
    return lambda peer: behaviours[peer.request.split(b"/")[1].decode()](peer)


def served(log: bytes) -> Behaviour:
    """A rustbucket as it should be."""
    return by_path(answer(VITALS), answer(log, "text/plain"))


@contextmanager
def collecting(engine: Engine, settings: Settings, archive: Archive, sources: Path) -> Generator[Collector]:
    """A collector with a healthy rustbucket on each road."""
    with loopback(served(HTTP_LOG)) as healthy:
        collector = Collector(engine, settings, archive, sources, healthy)
        collector.write("healthy", FILE_LOG)
        collector.register("by-file", http=False, logs_url=(sources / "healthy").as_uri(), token=TOKEN)
        collector.register("by-http", base_url=f"{healthy.url}/healthy", token=TOKEN)
        yield collector
        assert TOKEN.encode() in b"".join(healthy.requests)
