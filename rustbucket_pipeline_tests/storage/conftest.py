"""Processes of our own, as commands are: several at once, killed at any moment. And rows that say only what matters."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from subprocess import PIPE

import pytest
from sqlalchemy import Column, Connection, Table

Start = Callable[..., subprocess.Popen[str]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def python() -> Iterator[Start]:
    """Starts `python -c code arguments…`; what is still running at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
        started.append(subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, stderr=PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def insert() -> Callable[..., None]:
    """Inserts a row of which only some values matter; every other required column gets an empty one."""

    def insert_row(connection: Connection, table: Table, **values: object) -> None:
        needed = [column for column in table.columns if column.name not in values and _required(column)]
        connection.execute(table.insert().values({column.name: _empty(column) for column in needed} | values))

    return insert_row


def _required(column: Column[object]) -> bool:
    return not column.nullable and column.server_default is None and column.identity is None


def _empty(column: Column[object]) -> object:
    kind = column.type.python_type
    return EPOCH if kind is datetime else kind()
