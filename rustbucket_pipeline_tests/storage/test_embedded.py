"""The embedded server: started by anybody, killed at any moment, never broken for good, wherever its home lies."""

import contextlib
import os
import random
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.storage import embedded, embedded_socket
from rustbucket_pipeline.storage.databases import dsn

Start = Callable[..., subprocess.Popen[str]]

ENSURE = (
    "import sys, pathlib; from rustbucket_pipeline.storage.embedded import ensure; ensure(pathlib.Path(sys.argv[1]))"
)
SHARE = (
    "import sys, pathlib; from rustbucket_pipeline.storage.embedded import shared\n"
    "with shared(pathlib.Path(sys.argv[1])): print('in', flush=True); sys.stdin.readline()"
)
A_SECOND = 1.0
"""Seconds: how soon a server is back. Nothing in a start takes longer; a wait for something would, each time."""


def query(home: Path, statement: str) -> object:
    with psycopg.connect(dsn(make_url(embedded.url(home, "postgres")))) as connection:
        row = connection.execute(statement.encode()).fetchone() if statement.startswith("SELECT") else None
        if row is None and not statement.startswith("SELECT"):
            connection.execute(statement.encode())
        return row[0] if row else None


def postmaster(home: Path) -> int:
    return int((home / "pg" / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])


def kill_server(home: Path) -> None:
    os.kill(postmaster(home), signal.SIGKILL)


def quickest_return(home: Path, breaking: Callable[[], object]) -> float:
    """Seconds that `ensure` takes after the breaking; the best of five, since other processes want the disk too."""
    taken: list[float] = []
    for _ in range(5):
        breaking()
        begun = time.monotonic()
        embedded.ensure(home)
        taken.append(time.monotonic() - begun)
        if taken[-1] < A_SECOND:
            break
    return min(taken)


def test_twelve_processes_at_once_on_a_cold_home_share_one_server(own_home: Path, python: Start) -> None:
    processes = [python(ENSURE, own_home) for _ in range(12)]
    failures = [process.communicate(timeout=60)[1] for process in processes if process.wait(60)]
    assert failures == []
    assert query(own_home, "SELECT 1") == 1


def test_twenty_kills_during_setup_and_start_break_nothing(own_home: Path, python: Start) -> None:
    moments = random.Random(20)
    for attempt in range(20):
        process = python(ENSURE, own_home)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moments.uniform(0.1, 0.9))
        process.kill()
        process.wait()
        if attempt % 3 == 2:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                kill_server(own_home)
    embedded.ensure(own_home)
    assert query(own_home, "SELECT 1") == 1


def test_a_killed_server_is_back_within_a_second_with_every_committed_row(own_home: Path) -> None:
    embedded.ensure(own_home)
    query(own_home, "CREATE TABLE kept AS VALUES (42)")
    assert quickest_return(own_home, lambda: kill_server(own_home)) < A_SECOND
    assert query(own_home, "SELECT column1 FROM kept") == 42


@pytest.mark.parametrize(
    "content", [f"{os.getpid()}\n", "", "\n", "12", "garbage\0"], ids=["ours", "empty", "a newline", "cut", "garbage"]
)
def test_a_stale_pid_file_is_no_obstacle(own_home: Path, content: str) -> None:
    def leave_it_stale() -> None:
        embedded.down(own_home)
        (own_home / "pg" / "postmaster.pid").write_text(content, encoding="utf-8")

    embedded.ensure(own_home)
    assert quickest_return(own_home, leave_it_stale) < A_SECOND
    assert query(own_home, "SELECT 1") == 1


def test_a_stranger_whose_pid_the_file_names_is_never_signalled(own_home: Path, python: Start) -> None:
    embedded.ensure(own_home)
    embedded.down(own_home)
    stranger = python("input()")
    (own_home / "pg" / "postmaster.pid").write_text(f"{stranger.pid}\n{own_home / 'pg'}\n", encoding="utf-8")
    assert embedded.down(own_home) is False
    embedded.ensure(own_home)
    assert stranger.poll() is None


def test_down_ends_the_server_though_clients_are_connected(own_home: Path) -> None:
    embedded.ensure(own_home)
    with psycopg.connect(dsn(make_url(embedded.url(own_home, "postgres")))):
        assert embedded.down(own_home) is True
    assert embedded.down(own_home) is False


def test_the_last_user_to_leave_stops_a_shared_server(own_home: Path, python: Start) -> None:
    with embedded.shared(own_home):
        users = [python(SHARE, own_home) for _ in range(3)]
        assert [user.stdout.readline() for user in users if user.stdout] == ["in\n"] * 3
    assert query(own_home, "SELECT 1") == 1
    for user in users:
        user.communicate("out\n", timeout=60)
    assert [user.returncode for user in users] == [0, 0, 0]
    assert embedded.down(own_home) is False


def test_a_killed_user_of_a_shared_server_does_not_keep_it_alive(own_home: Path, python: Start) -> None:
    killed = python(SHARE, own_home)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "in\n"
    killed.kill()
    killed.wait()
    with embedded.shared(own_home):
        assert query(own_home, "SELECT 1") == 1
    assert embedded.down(own_home) is False


@pytest.mark.parametrize("name", ["a b'c\"d$e;f%g\\h{i}*é", "one,two", "x" * 200], ids=["odd", "comma", "long"])
def test_any_path_will_do(own_home: Path, name: str) -> None:
    home = own_home / name
    embedded.ensure(home)
    assert query(home, "SELECT 1") == 1
    assert quickest_return(home, lambda: embedded.down(home)) < A_SECOND
    embedded.down(home)


def test_a_socket_that_does_not_fit_lies_in_a_directory_of_our_own_alone(own_home: Path) -> None:
    home = own_home / ("x" * 120)
    pg = embedded.ensure(home)
    directory = embedded_socket.socket_directory(pg)
    assert directory != pg
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert directory.stat().st_uid == pg.stat().st_uid
    embedded.down(home)
    assert not directory.exists()
    directory.mkdir(mode=0o755)
    with pytest.raises(ConfigurationError, match="isn't ours alone"):
        embedded.ensure(home)
    directory.rmdir()


def test_languages_and_variables_of_the_caller_do_not_reach_the_server(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LANG": "xx_YY.UTF-8", "LC_ALL": "tlh", "PGPORT": "1", "PGDATA": "/x", "PGHOST": "x"}.items():
        monkeypatch.setenv(name, value)
    embedded.ensure(own_home)
    assert query(own_home, "SELECT datcollate || datlocale FROM pg_database WHERE datname = 'postgres'") == "CC.UTF-8"


def test_a_server_that_lost_its_socket_is_replaced(own_home: Path) -> None:
    pg = embedded.ensure(own_home)
    before = postmaster(own_home)
    assert quickest_return(own_home, embedded_socket.socket_in(pg).unlink) < A_SECOND
    assert postmaster(own_home) != before


def test_a_home_removed_under_its_server_starts_afresh(own_home: Path) -> None:
    embedded.ensure(own_home)
    before = postmaster(own_home)
    shutil.rmtree(own_home)
    embedded.ensure(own_home)
    os.kill(before, signal.SIGINT)  # as it does by itself within a minute; it takes the new server's socket with it
    while Path("/proc", str(before)).exists():
        time.sleep(0.01)
    embedded.ensure(own_home)
    assert query(own_home, "SELECT 1") == 1


def test_the_log_is_cut_when_it_grows_large(own_home: Path) -> None:
    own_home.mkdir(mode=0o700)
    (own_home / "pg.log").write_bytes(b"x" * embedded.LOG_LIMIT + b"\nlast line\n")
    embedded.ensure(own_home)
    kept = (own_home / "pg.log").read_bytes()
    assert len(kept) < embedded.LOG_KEPT * 2
    assert b"last line\n" in kept


def test_a_home_that_cannot_be_made_is_one_clear_line(own_home: Path) -> None:
    own_home.write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="set RUSTBUCKET_HOME") as error:
        embedded.ensure(own_home / "home")
    assert "\n" not in str(error.value)
    own_home.unlink()
