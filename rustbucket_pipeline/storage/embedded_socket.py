"""Where an embedded server is reached: its socket's directory, its URL, and whether it answers.

No starting or stopping here. The address follows from the data directory alone, so it is the same after restarts.
"""

import os
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping
from sqlalchemy import URL

from rustbucket_pipeline.errors import ConfigurationError

PORT = 5432
"""Only the socket's name: nothing listens on a network."""

LONGEST_SOCKET_PATH = 103
"""Bytes; macOS's limit, the smaller one."""

SUPERUSER = "postgres"


def socket_directory(pg: Path) -> Path:
    """The directory of the socket: the data directory, or one of our own under `/tmp` where that path won't do.

    A path may be too long for a socket, and a comma separates hosts for libpq. Not `tempfile.gettempdir()`: a daemon
    and a command may disagree about `TMPDIR`, and must find the same server.
    """
    encoded = os.fsencode(socket_in(pg))
    if len(encoded) <= LONGEST_SOCKET_PATH and b"," not in encoded:
        return pg
    return Path("/tmp", f"rustbucket-{sha256(os.fsencode(pg)).hexdigest()[:16]}")  # noqa: S108 (checked below)


def socket_in(directory: Path) -> Path:
    """The socket's file in that directory."""
    return directory / f".s.PGSQL.{PORT}"


def prepare_socket_directory(pg: Path) -> Path:
    """`socket_directory`, made if it is missing and given to the owner of the data directory, closed to all others.

    Raises:
        ConfigurationError: another account got there first, so whoever answers in it isn't to be believed.
    """
    directory, owner = socket_directory(pg), pg.stat()
    if directory == pg:
        return pg
    try:
        directory.mkdir(mode=0o700)
        if owner.st_uid != os.geteuid():
            os.chown(directory, owner.st_uid, owner.st_gid)
    except FileExistsError:
        pass
    _check_private(directory, owner.st_uid)
    return directory


def remove_socket_directory(pg: Path) -> None:
    """Leave nothing of a stopped server under `/tmp`."""
    directory = socket_directory(pg)
    if directory != pg:
        with suppress(OSError):  # never made, not empty, or another's
            directory.rmdir()


def answers(pg: Path) -> bool:
    """Whether a server of this data directory accepts connections now (within 5 seconds)."""
    directory = socket_directory(pg)
    if not socket_in(directory).exists():
        return False
    if directory != pg:
        _check_private(directory, pg.stat().st_uid)
    where = make_conninfo(host=str(directory), port=PORT, user=SUPERUSER, dbname="postgres", connect_timeout=5)
    return PGconn.ping(where.encode()) == Ping.OK


def url_of(pg: Path, database: str, driver: str = "psycopg") -> str:
    """SQLAlchemy's URL of a database of this server, for `psycopg` or `psycopg2`; it holds no secret."""
    where = {"host": str(socket_directory(pg)), "port": str(PORT)}
    return str(URL.create(f"postgresql+{driver}", username=SUPERUSER, database=database, query=where))


def _check_private(directory: Path, owner: int) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigurationError(
            f"{directory} isn't ours alone, so no database is trusted there; "
            "remove it or choose a shorter RUSTBUCKET_HOME"
        )
