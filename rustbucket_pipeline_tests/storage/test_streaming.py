"""Answers read a chunk at a time: whole, or left in their middle; the connection is free again after."""

import psycopg
import pytest
from sqlalchemy import Engine, column, func, literal, select

from rustbucket_pipeline.storage.streaming import streamed

MANY = select(func.generate_series(literal(1), literal(5000)).label("number"))


def test_every_row_comes_in_order(database: Engine) -> None:
    with database.connect() as connection:
        with streamed(connection, MANY) as rows:
            assert [number for (number,) in rows] == list(range(1, 5001))
        assert connection.execute(select(literal("free"))).scalar_one() == "free"


def test_whoever_leaves_in_the_middle_finds_the_connection_free(database: Engine) -> None:
    with database.connect() as connection:
        with streamed(connection, MANY) as rows:
            assert next(rows) == (1,)
        assert connection.execute(select(literal("free"))).scalar_one() == "free"


def test_a_list_in_the_question_is_bound_like_everything_else(database: Engine) -> None:
    word = select(literal("it's %s").label("word")).subquery().c.word
    with (
        database.connect() as connection,
        streamed(connection, select(word).where(word.in_(["it's %s", "other"]))) as rows,
    ):
        assert list(rows) == [("it's %s",)]


def test_a_mistake_in_the_question_is_postgresqls(database: Engine) -> None:
    with (
        database.connect() as connection,
        pytest.raises(psycopg.errors.UndefinedColumn),
        streamed(connection, select(column("nothing"))) as rows,
    ):
        next(rows)
