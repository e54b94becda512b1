"""What a database holds, as numbers two copies of it agree in: rows and checksums by table, ends of the logs' chains.

A checksum is a sum over the MD5 of every row's text, so it needs no order; PostgreSQL computes it, 1 to 2 µs a row.
"""

from collections.abc import Iterator

import psycopg
from psycopg import sql

from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.upkeep.backup_manifest import Chain, Sum

_SPELLING = """
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'
"""
"""Settings that decide how a row is written as text."""

_TABLES = """
SELECT nspname, relname
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema') AND relpersistence = 'p'
ORDER BY nspname, relname
"""
_SUM = """
SELECT count(*), coalesce(sum(('x' || left(md5(row_::text), 16))::bit(64)::bigint::numeric), 0)::text
FROM ONLY {} AS row_
"""
_PACKAGE = "rustbucket_pipeline.upkeep"


def sums_of(connection: psycopg.Connection) -> dict[str, Sum]:
    """Every table's sum, in the connection's transaction; a day of `log_events` is a table of its own."""
    connection.execute(_SPELLING)
    found: dict[str, Sum] = {}
    for schema, table in connection.execute(_TABLES).fetchall():
        row = connection.execute(sql.SQL(_SUM).format(sql.Identifier(schema, table))).fetchone()
        rows, checksum = row or (0, "0")
        found[f"{schema}.{table}"] = Sum(rows=rows, checksum=checksum)
    return found


def chain_of(connection: psycopg.Connection) -> Chain:
    """The ends of the logs' hash chains."""
    logs, size, checksum = _one(connection, "chain_ends")
    return Chain(logs=int(str(logs)), bytes=int(str(size)), checksum=str(checksum))


def unlinked(connection: psycopg.Connection) -> tuple[int, int]:
    """Segments that don't follow the one before in their log, or whose link isn't what place and content give.

    How many, and the log of the first of them (0: there is none).
    """
    wrong, log_id = _one(connection, "unlinked_segments")
    return int(str(wrong)), int(str(log_id))


def differences(said: dict[str, Sum], found: dict[str, Sum]) -> Iterator[str]:
    """What is otherwise than was said, table by table."""
    for table in sorted(said.keys() | found.keys()):
        before, after = said.get(table), found.get(table)
        if before is None or after is None:
            yield f"table {table} {'is missing' if after is None else 'is in no manifest'}"
        elif before.rows != after.rows:
            yield f"table {table} has {after.rows:,} rows, the manifest says {before.rows:,}"
        elif before.checksum != after.checksum:
            yield f"table {table} has as many rows as the manifest says, but others"


def _one(connection: psycopg.Connection, name: str) -> tuple[object, ...]:
    statement = load_sql(_PACKAGE, name).text
    row = connection.execute(statement.encode()).fetchone()
    return row or ()
