"""Our PostgreSQL from Python: engines, COPY, locks, SQL files, the schema's state.

Where the server is: `databases`. What a migration does: `migrations`. No queries about rustbuckets or logs.
"""

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import LiteralString, cast

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import NullPool

from rustbucket_pipeline.errors import ConfigurationError, DatabaseUnavailable
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases, embedded, migrations, reader

OLDEST_SERVER = 15
"""Major version of PostgreSQL that our SQL needs."""

_CHUNKS_WAITING = 2
_EAGER_SECONDS = 0.0002

_PATIENCE = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
"""Seconds: a server that vanished is noticed within a minute, not after two hours."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Which revision the database is at (None: nothing there yet), and which one this release brings."""

    revision: str | None
    head: str

    @property
    def ready(self) -> bool:
        """Whether this release can work on it; a newer schema still carries the release before."""
        return self.revision is not None and self.revision >= self.head


def open_database(settings: Settings) -> Engine:
    """An engine on our database, its schema ready. The embedded server is started and upgraded if need be.

    Raises:
        ConfigurationError: the URL is malformed, or an external database waits for `rustbucket db upgrade`.
        DatabaseUnavailable: the server can't be reached; so does every later use of the engine.
    """
    engine = _engine(settings)
    try:
        _make_ready(engine, embedded_one=settings.database_url is None)
    except BaseException:
        engine.dispose()
        raise
    return engine


def open_beside(url: URL) -> Engine:
    """An engine on another database of our server, which exists; lost connections raise `DatabaseUnavailable`."""
    engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    event.listen(engine, "handle_error", _translate, retval=True)
    return engine


def upgrade(settings: Settings) -> SchemaState:
    """Bring the database's schema to this release, whatever it was; doing so twice changes nothing.

    Raises:
        ConfigurationError: the URL is malformed, or the server is older than PostgreSQL 15.
        DatabaseUnavailable: the server can't be reached.
    """
    with _opened(settings) as engine:
        _migrate(engine)
        return _state(engine)


def schema_state(settings: Settings) -> SchemaState:
    """The schema's state, changing nothing but that the embedded server is started.

    Raises:
        ConfigurationError: the URL is malformed.
        DatabaseUnavailable: the server can't be reached.
    """
    with _opened(settings) as engine:
        return _state(engine)


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Append the rows to the table (or `schema.table`) by COPY, in the connection's transaction; how many there were.

    Values are sent as psycopg adapts them; JSON as its text.
    """

    def feed(copy: psycopg.Copy) -> None:
        for row in rows:
            copy.write_row(row)

    return _copy(connection, table, columns, "text", feed)


def copy_binary(
    connection: Connection, table: str, columns: Sequence[str], chunks: Iterable[bytes], *, frozen: bool = False
) -> int:
    """Append rows that are encoded already, as binary COPY has them, header and trailer included; how many.

    Chunks are sent in a thread of its own while later ones are made; few of them wait. `frozen`: the table was made in
    this transaction, so its pages needn't be written again to say that their rows are there for everybody.
    """

    def feed(copy: psycopg.Copy) -> None:
        sent = deque[Future[None]]()
        with _eager_threads(), ThreadPoolExecutor(1, "copy") as sender:
            for chunk in chunks:
                sent.append(sender.submit(copy.write, chunk))
                if len(sent) > _CHUNKS_WAITING:
                    sent.popleft().result()
            for one in sent:
                one.result()

    return _copy(connection, table, columns, "binary, FREEZE" if frozen else "binary", feed)


@contextmanager
def _eager_threads() -> Generator[None]:
    """Let a thread that waits for the interpreter have it soon: the server would wait with it, 5 ms at a time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_EAGER_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _copy(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    form: LiteralString,
    feed: Callable[[psycopg.Copy], None],
) -> int:
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})")
    try:
        with driver.cursor() as cursor:
            with cursor.copy(statement.format(sql.Identifier(*table.split(".")), names, sql.SQL(form))) as copy:
                feed(copy)
            return cursor.rowcount
    except psycopg.OperationalError as error:
        raise databases.unavailable(connection.engine.url, error) from error


def advisory_lock(connection: Connection, name: str) -> None:
    """Hold the lock of that name until the transaction ends; waits for whoever holds it."""
    advisory_locks(connection, [name])


def advisory_locks(connection: Connection, names: Iterable[str]) -> None:
    """Hold these locks, taken in this order."""
    keys = [int.from_bytes(sha256(name.encode()).digest()[:8], signed=True) for name in names]
    query = (
        "SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) WITH ORDINALITY AS lock (key, place)"
    )
    connection.execute(text(f"{query} ORDER BY place"), {"keys": keys})


def load_sql(package: str, name: str) -> TextClause:
    """The statement in `<package>/sql/<name>.sql`, e.g. `load_sql("rustbucket_pipeline.events", "replace_hour")`."""
    return text(resources.files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8"))


def _make_ready(engine: Engine, *, embedded_one: bool) -> None:
    state = _state(engine)
    if state.ready:
        return
    if not embedded_one:
        raise ConfigurationError(
            f"the database's schema is at {state.revision or 'nothing'}, this release needs {state.head}; "
            "run `rustbucket db upgrade`"
        )
    _migrate(engine)


@contextmanager
def _opened(settings: Settings) -> Generator[Engine]:
    engine = _engine(settings)
    try:
        yield engine
    finally:
        engine.dispose()


def _engine(settings: Settings) -> Engine:
    """An engine on our database; for the embedded one, the server started and the database made."""
    url = databases.address(settings)
    options = f"{url.query.get('options', '')} -c timezone=UTC".strip()
    patient = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    connect_args = {"application_name": "rustbucket", **patient, "options": options}
    engine = create_engine(url, pool_pre_ping=True, connect_args=connect_args)
    event.listen(engine, "handle_error", _translate, retval=True)
    if settings.database_url is None:
        home = settings.home

        @event.listens_for(engine, "do_connect")
        def _revive(*_: object) -> None:
            embedded.ensure(home)  # also in the middle of its life: whoever needs a killed server starts it again

        _make_ours(engine, settings)
    return engine


def _make_ours(engine: Engine, settings: Settings) -> None:
    try:
        engine.connect().close()
    except DatabaseUnavailable:
        with databases.maintenance(settings) as connection:
            databases.create(connection, databases.DATABASE)


def _translate(context: ExceptionContext) -> BaseException | None:
    """A connection that can't be had, or broke, is our transient error; every other error stays what it is."""
    lost = context.is_disconnect or context.connection is None
    if not lost or context.is_pre_ping or not isinstance(context.original_exception, psycopg.OperationalError):
        return None
    engine = context.engine
    return databases.unavailable(engine.url, context.original_exception) if engine is not None else None


def _state(engine: Engine) -> SchemaState:
    with engine.connect() as connection:
        return SchemaState(migrations.revision(connection), migrations.head())


def _migrate(engine: Engine) -> None:
    """Upgrade to head in one transaction; whoever comes second waits, and finds it done."""
    with engine.begin() as connection:
        _check_version(connection)
        advisory_lock(connection, "schema")
        migrations.to_head(connection)
        reader.prepare(connection)


def _check_version(connection: Connection) -> None:
    version = connection.execute(text("SHOW server_version_num")).scalar_one()
    if int(version) // 10_000 < OLDEST_SERVER:
        raise ConfigurationError(
            f"PostgreSQL {int(version) // 10_000} is too old; use {OLDEST_SERVER} or newer, "
            "or unset RUSTBUCKET_DATABASE_URL"
        )
