"""Health of what everything is kept in: the database and the archive's store, each tried and measured."""

from collections.abc import Iterator
from secrets import token_hex

from sqlalchemy.exc import SQLAlchemyError

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.errors import DatabaseUnavailable, RustbucketError
from rustbucket_pipeline.model.text import first_line
from rustbucket_pipeline.storage import databases
from rustbucket_pipeline.storage.objects import Archive, Stored
from rustbucket_pipeline.storage.postgres import load_sql, schema_state
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

_OTHERS = 0o077
"""Whatever a mode allows to others than the owner."""

PROBES = "health/"
"""Where probes are written in the archive; each is deleted at once."""


def look_at_database(bench: Bench) -> Iterator[Finding]:
    """Whether it answers, whether its schema is this release's, and whether there is room for more connections."""
    try:
        with bench.engine.connect() as connection:
            row = connection.execute(load_sql("rustbucket_pipeline.upkeep", "health_connections")).one()
    except (SQLAlchemyError, DatabaseUnavailable) as error:
        why = f"PostgreSQL can't be used ({first_line(error.__cause__ or error)})"
        yield Finding("database", "database", Health.ERROR, why, databases.REMEDY, Kind.DATABASE_UNAVAILABLE)
        return
    state = schema_state(bench.settings)
    if not state.ready:
        why = f"its schema is {state.revision}, this release's is {state.head}"
        yield Finding("database", "schema", Health.ERROR, why, "`rustbucket db upgrade`")
    used = row.connections / row.most
    why = f"{row.connections} of {row.most} connections are taken"
    if used > _MOST_CONNECTIONS:
        yield Finding("database", "connections", Health.WARNING, why, "raise max_connections")
    elif state.ready:
        yield Finding("database", "database", Health.OK, f"it answers; its schema is {state.revision}; {why}")


_MOST_CONNECTIONS = 0.9


def look_at_archive(bench: Bench) -> Iterator[Finding]:
    """Whether an object can be written, listed, read and deleted again."""
    try:
        written = probe(bench.archive)
    except RustbucketError as error:
        why, do = first_line(error), "look at the store, its rights and its disk"
        yield Finding("archive", "archive", Health.ERROR, why, do, Kind.STORE_UNAVAILABLE)
        return
    if written is None:
        why = "an object that was written can't be listed or read"
        yield Finding("archive", "archive", Health.ERROR, why, "look at the store", Kind.STORE_UNAVAILABLE)
        return
    yield Finding("archive", "archive", Health.OK, f"{bench.archive.url} can be written and read")
    if bench.archive.directory is not None and bench.archive.directory.stat().st_mode & _OTHERS:
        why = "its directory is open to other accounts, and it holds attacks and secrets as they came"
        yield Finding("archive", "privacy", Health.WARNING, why, f"chmod 700 {bench.archive.directory}")


def probe(archive: Archive) -> Stored | None:
    """An object as the store lists it, written and deleted again; None: it isn't what was written.

    Raises:
        StoreUnavailable, ConfigurationError: it can't be used.
    """
    key, data = f"{PROBES}{token_hex(8)}", token_hex(32).encode()
    archive.put_once(key, data)
    try:
        listed = [one for one in archive.stored(PROBES.rstrip("/")) if one.key == key]
        return listed[0] if listed and archive.get(key) == data else None
    finally:
        archive.delete(key)
