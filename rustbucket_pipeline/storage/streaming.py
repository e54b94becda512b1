"""Answers too long to hold, read a chunk at a time while the server still works on them.

A cursor on the server would do as well, but PostgreSQL answers those by one process, never in parallel.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, cast

import psycopg
from psycopg import capabilities
from sqlalchemy import Connection, Select

from rustbucket_pipeline.storage import databases

_AT_ONCE = 1000


@contextmanager
def streamed(connection: Connection, query: Select[Any]) -> Generator[Iterator[tuple[Any, ...]]]:
    """The query's rows; until all are read, or the block is left, the connection answers nothing else."""
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    asked = (str(compiled).encode(), compiled.construct_params())
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    size = _AT_ONCE if capabilities.has_stream_chunked() else 1
    try:
        with (
            driver.cursor() as cursor,
            closing(cast("Generator[tuple[Any, ...]]", cursor.stream(*asked, size=size))) as rows,
        ):
            yield rows
    except psycopg.OperationalError as error:
        raise databases.unavailable(connection.engine.url, error) from error
