"""Which databases there are and how they are addressed: ours, and Dagster's history beside it in the same server.

The server is the embedded one unless `RUSTBUCKET_DATABASE_URL` names another. Addresses may hold a password: they go
to drivers, never into a message. No tables, no queries beyond making a database.
"""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from rustbucket_pipeline.errors import ConfigurationError, DatabaseUnavailable
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import embedded

DATABASE = "rustbucket"
"""Our database in the embedded server."""

HISTORY = "dagster"
"""Dagster's database in the embedded server; elsewhere this is added to the name of ours."""

REMEDY = "start that server, or set RUSTBUCKET_DATABASE_URL to another; unset, an embedded one is used"


def address(settings: Settings) -> URL:
    """Our database. Starts nothing; the embedded server may still be down.

    Raises:
        ConfigurationError: `RUSTBUCKET_DATABASE_URL` is no URL of a PostgreSQL database.
    """
    if settings.database_url is None:
        return make_url(embedded.url(settings.home, DATABASE))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except (ArgumentError, ValueError):
        raise _malformed() from None  # the reason would quote the URL, password and all
    if url.get_backend_name() not in {"postgresql", "postgres"} or not url.database:
        raise _malformed()
    return url.set(drivername="postgresql+psycopg")


def history_address(settings: Settings) -> URL:
    """Dagster's database in the same server, for its own driver. Starts nothing.

    Raises:
        ConfigurationError: as `address`.
    """
    url = address(settings)
    name = HISTORY if settings.database_url is None else f"{url.database}_{HISTORY}"
    return url.set(drivername="postgresql+psycopg2", database=name)


@contextmanager
def maintenance(settings: Settings) -> Generator[psycopg.Connection]:
    """A connection that makes databases, each statement by itself. Starts nothing.

    Raises:
        ConfigurationError: as `address`.
        DatabaseUnavailable: the server can't be reached, or goes away meanwhile.
    """
    url = address(settings)
    if settings.database_url is None:
        url = url.set(database="postgres")  # ours may not be there yet
    with connected(url) as connection:
        yield connection


@contextmanager
def connected(url: URL) -> Generator[psycopg.Connection]:
    """A connection to that database, each statement by itself.

    Raises:
        DatabaseUnavailable: the server can't be reached, or goes away meanwhile.
    """
    try:
        with psycopg.connect(dsn(url), autocommit=True, connect_timeout=10) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise unavailable(url, error) from error


def exists(connection: psycopg.Connection, database: str) -> bool:
    """Whether the server has a database of that name."""
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is not None


def size(connection: psycopg.Connection, database: str) -> int | None:
    """Bytes on disk of the database of that name, None when there is none."""
    statement = "SELECT pg_database_size(oid) FROM pg_database WHERE datname = %s"
    row = connection.execute(statement, [database]).fetchone()
    return int(row[0]) if row else None


def create(connection: psycopg.Connection, database: str) -> None:
    """Make that database, unless another process does at the same moment.

    Raises:
        ConfigurationError: our account may not make databases.
    """
    statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
    try:
        connection.execute(statement.format(sql.Identifier(database)))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return
    except psycopg.errors.InsufficientPrivilege as error:
        raise _not_ours_to_make(database) from error


def require_may_create(connection: psycopg.Connection, database: str) -> None:
    """Ask before anything is begun that only an account that makes databases may do.

    Raises:
        ConfigurationError: our account may not make databases.
    """
    query = "SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolcreatedb OR rolsuper)"
    if connection.execute(query).fetchone() is None:
        raise _not_ours_to_make(database)


def _not_ours_to_make(database: str) -> ConfigurationError:
    return ConfigurationError(
        f'there is no database "{database}", and this account may not make it; '
        f'have an administrator run: CREATE DATABASE "{database}"'
    )


def dsn(url: URL) -> str:
    """The same address as PostgreSQL's own programs and psycopg take it; a URL of theirs reads spaces otherwise."""
    words = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    return make_conninfo(**words, **url.translate_connect_args(username="user", database="dbname"))


def unavailable(url: URL, error: BaseException) -> DatabaseUnavailable:
    """What to tell about a server that can't be reached: where, why, what to do; never the password."""
    lines = [line for line in str(error).splitlines() if line.strip()] or ["no reason given"]
    reason = lines[0].strip()
    if url.password:
        reason = reason.replace(url.password, "***")
    return DatabaseUnavailable(f"PostgreSQL at {place(url)} can't be used ({reason[:300]}); {REMEDY}")


def place(url: URL) -> str:
    """Where that database is, for people: server and name, nothing secret."""
    host = url.host or url.query.get("host") or "the local socket"
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database}"


def _malformed() -> ConfigurationError:
    return ConfigurationError(
        "RUSTBUCKET_DATABASE_URL isn't the URL of a PostgreSQL database; write postgresql://user:password@host/name "
        "with special characters percent-encoded, or unset it for the embedded one"
    )
