"""Root and plain users: PostgreSQL refuses to run as root, so a system account runs it, and nobody else gets in."""

import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline.storage.databases import dsn
from rustbucket_pipeline.storage.embedded_account import SYSTEM_ACCOUNT, Account, let_in

Start = Callable[..., subprocess.Popen[str]]

PLAIN = "nobody"
ENSURE_AS = """
import os, pathlib, sys
from rustbucket_pipeline.storage.embedded import ensure
os.setgroups([]), os.setgid(int(sys.argv[2])), os.setuid(int(sys.argv[2]))
ensure(pathlib.Path(sys.argv[1]))
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused")


@pytest.fixture
def closed(own_home: Path) -> Path:
    """A directory only its owner may enter, as root's own is."""
    own_home.mkdir(mode=0o700)
    return own_home


def may_enter(account: str, directory: Path) -> bool:
    entry = pwd.getpwnam(account)
    tried = subprocess.run(
        ["/bin/ls", directory / "."], check=False, capture_output=True, user=entry.pw_uid, group=entry.pw_gid
    )
    looked = subprocess.run(
        ["/usr/bin/test", "-x", directory], check=False, user=entry.pw_uid, group=entry.pw_gid, extra_groups=[]
    )
    return tried.returncode == 0 or looked.returncode == 0


@as_root
def test_root_gets_a_server_of_a_system_account_even_in_closed_directories(closed: Path) -> None:
    home = closed / "home"
    pg = embedded.ensure(home)
    assert pwd.getpwuid(pg.stat().st_uid).pw_name == SYSTEM_ACCOUNT
    with psycopg.connect(dsn(make_url(embedded.url(home, "postgres")))) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    embedded.down(home)


@as_root
def test_only_that_account_is_let_in_and_only_to_search(closed: Path) -> None:
    let_in(Account(pwd.getpwnam(PLAIN).pw_uid, pwd.getpwnam(PLAIN).pw_gid), closed, embedded.programs().parent)
    assert may_enter(PLAIN, closed)
    assert not may_enter("daemon", closed)
    assert stat.S_IMODE(closed.stat().st_mode) & 0o066 == 0
    entry = pwd.getpwnam(PLAIN)
    listed = subprocess.run(
        ["/bin/ls", closed], check=False, capture_output=True, user=entry.pw_uid, group=entry.pw_gid
    )
    assert listed.returncode != 0


@as_root
def test_what_a_mask_held_back_stays_held_back(closed: Path) -> None:
    directory = closed / "masked"
    directory.mkdir()
    let_in(Account(1, 1), directory, embedded.programs().parent)
    directory.chmod(0o700)  # the mask now takes account 1's permission away
    let_in(Account(2, 2), directory, embedded.programs().parent)
    assert subprocess.run(["/usr/bin/test", "-x", directory], check=False, user=1, extra_groups=[]).returncode != 0


@as_root
def test_a_plain_user_runs_its_own_server_and_root_joins_it(own_home: Path, python: Start) -> None:
    plain, owned = pwd.getpwnam(PLAIN), own_home
    owned.mkdir(mode=0o700)
    os.chown(owned, plain.pw_uid, plain.pw_gid)
    let_in(Account(plain.pw_uid, plain.pw_gid), owned, embedded.programs().parent)
    started = python(ENSURE_AS, owned / "home", plain.pw_uid)
    assert started.communicate(timeout=60)[1] == ""
    pg = embedded.ensure(owned / "home")
    assert pg.stat().st_uid == plain.pw_uid
    embedded.down(owned / "home")
    embedded.ensure(owned / "home")
    assert pg.stat().st_uid == plain.pw_uid
    embedded.down(owned / "home")
