"""The login role `rustbucket_reader`, for whoever may look and nothing else: its rights, and logging in as it.

It may read every view of ours and no table. A question asked as it is bounded by `question`.
"""

from collections.abc import Generator
from contextlib import closing, contextmanager
from importlib import resources

import psycopg
from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases

ROLE = "rustbucket_reader"

_MAY_WRITE = """
SELECT rolsuper OR rolcreaterole OR has_table_privilege('log_events', 'SELECT, INSERT, UPDATE, DELETE')
FROM pg_roles WHERE rolname = current_user
"""


def prepare(connection: Connection) -> None:
    """Make the role if need be, and let it read every view there is by now; again changes nothing.

    Where our account may not make roles, nothing happens: an administrator makes it, then this is run again.
    """
    script = resources.files("rustbucket_pipeline.storage").joinpath("sql", "reader.sql").read_text(encoding="utf-8")
    connection.exec_driver_sql(script, execution_options={"no_parameters": True})  # its % are not for the driver


def address(settings: Settings) -> URL:
    """Our database for the reader. Starts nothing.

    Raises:
        ConfigurationError: a URL is malformed.
    """
    if settings.reader_url is None:
        return databases.address(settings).set(username=ROLE, password=None)
    try:
        return make_url(settings.reader_url.get_secret_value()).set(drivername="postgresql")
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "RUSTBUCKET_READER_URL isn't the URL of a PostgreSQL database; write "
            f"postgresql://{ROLE}:password@host/name with special characters percent-encoded"
        ) from None


@contextmanager
def login(settings: Settings) -> Generator[psycopg.Connection]:
    """A connection as the reader, in autocommit; the server must be running.

    Raises:
        ConfigurationError: the role can't log in, or may do more than read views.
    """
    url = address(settings)
    try:
        connection = psycopg.connect(
            databases.dsn(url), autocommit=True, connect_timeout=10, application_name="rustbucket reader"
        )
    except psycopg.OperationalError as error:
        raise _locked_out(url, error) from error
    with closing(connection):
        row = connection.execute(_MAY_WRITE).fetchone()
        if row is None or row[0]:
            raise ConfigurationError(
                f"{url.username} at {databases.place(url)} may do more than read views; "
                f"let RUSTBUCKET_READER_URL name {ROLE}"
            )
        yield connection


def _locked_out(url: URL, error: psycopg.OperationalError) -> ConfigurationError:
    reason = str(databases.unavailable(url, error)).partition(" can't be used (")[2].rpartition(");")[0]
    return ConfigurationError(
        f"{url.username} can't log in to {databases.place(url)} ({reason}); have an administrator run: "
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '…' (ALTER ROLE if it exists), then run `rustbucket db upgrade` "
        "and set RUSTBUCKET_READER_URL"
    )
