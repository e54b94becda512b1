"""One question in SQL, asked as `rustbucket_reader` within bounds: time, rows, bytes, the server's memory.

What the server enforces by itself (views only, read-only, nothing that writes) is `sql/reader.sql`. Here: one SELECT,
by way of a cursor, and a watch that no question can talk out of its limits.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql
from psycopg.types.json import set_json_loads

from rustbucket_pipeline.errors import DatabaseUnavailable, UsageError
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import reader

LONGEST_QUESTION = 100_000
_LOOKS_SECONDS = 0.02
_GRACE_SECONDS = 5.0
_LONGEST_REASON = 300
_SOME = "FETCH 500 FROM answer"
_QUESTIONS = ("select", "with", "values", "table", "(")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a question may take: seconds in all, rows and bytes of its answer, bytes of the server's own memory."""

    seconds: float = 30.0
    rows: int = 100_000
    bytes: int = 64 * 1024**2
    server_bytes: int = 256 * 1024**2


@dataclass(slots=True)
class Answer:
    """Rows under their columns. `cut` says why there are no more of them; empty: these are all."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    cut: str = ""


def ask(settings: Settings, question: str, limits: Limits) -> Answer:
    """The answer to one SELECT. The server must be running.

    Raises:
        ConfigurationError: the reader can't log in.
        UsageError: the question isn't one, asks for more than the reader may see, or takes too much.
        DatabaseUnavailable: the server went away.
    """
    _check_text(question)
    with reader.login(settings) as connection:
        set_json_loads(_json, context=connection)
        watch = _Watch(connection, limits)
        try:
            with watch.on():
                return _answer(connection, question, limits)
        except psycopg.Error as error:
            raise _refusal(error, question, watch.reason) from error


def _answer(connection: psycopg.Connection, question: str, limits: Limits) -> Answer:
    # Prepared, so that it is one statement; a cursor, so that it is a SELECT which changes nothing.
    declared = sql.SQL("DECLARE answer NO SCROLL CURSOR FOR {}").format(sql.SQL(question))  # pyright: ignore[reportArgumentType]
    connection.execute("BEGIN READ ONLY")
    connection.execute("SET LOCAL cursor_tuple_fraction = 1")  # plan for the whole answer
    connection.execute(declared, prepare=True)
    with connection.cursor() as cursor:
        described = cursor.execute("FETCH 0 FROM answer").description or ()
        answer = Answer(_distinct(column.name for column in described))
        with closing(_rows(cursor)) as rows:
            _take(rows, answer, limits)
    return answer


def _rows(cursor: psycopg.Cursor) -> Generator[tuple[object, ...]]:
    """Some at a time, for the server keeps what one FETCH asks for; one by one, for so does the driver."""
    some = True
    while some:
        some = False
        for row in cursor.stream(_SOME):
            some = True
            yield row


def _take(rows: Iterable[tuple[object, ...]], answer: Answer, limits: Limits) -> None:
    """No more of an endless answer than is kept."""
    size = 0
    for row in rows:
        size += sum(map(_size, row))
        if len(answer.rows) == limits.rows or size > limits.bytes:
            what = f"{limits.rows:,} rows" if size <= limits.bytes else f"{limits.bytes // 1024**2} MB"
            answer.cut = f"cut at {what}; narrow the question, or count and group in it"
            return
        answer.rows.append(row)


def _size(value: object) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    return len(msgspec.json.encode(value, enc_hook=str)) if isinstance(value, dict | list) else sys.getsizeof(value)


class _Watch:
    """Looks at the clock, and at the server process's memory where that is a process here; stops what takes too much.

    It doesn't run in the database, so nothing said there can lift it.
    """

    def __init__(self, connection: psycopg.Connection, limits: Limits) -> None:
        self.reason = ""
        self._connection = connection
        self._limits = limits
        self._memory = _memory_of(connection)

    @contextmanager
    def on(self) -> Generator[None]:
        done = threading.Event()
        thread = threading.Thread(target=self._look, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _look(self, done: threading.Event) -> None:
        deadline = time.monotonic() + self._limits.seconds
        while not done.wait(_LOOKS_SECONDS):
            if time.monotonic() > deadline:
                self.reason = f"it took over {self._limits.seconds:g} s"
            elif self._memory() > self._limits.server_bytes:
                self.reason = f"it took over {self._limits.server_bytes // 1024**2} MB of the server's memory"
            if self.reason:
                self._stop(done)
                return

    def _stop(self, done: threading.Event) -> None:
        """Ask the server to stop; hang up if it doesn't."""
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=_GRACE_SECONDS)
        if not done.wait(_GRACE_SECONDS):
            with socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)


def _memory_of(connection: psycopg.Connection) -> Callable[[], int]:
    """Reads how many bytes the server process behind a connection holds for itself; 0 where it isn't ours to see."""
    process = Path("/proc", str(connection.info.backend_pid))

    def held() -> int:
        try:
            lines = (process / "status").read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return 0
        found = (line.split()[1] for line in lines if line.startswith("RssAnon:"))
        return int(next(found, "0")) * 1024

    local = connection.info.host.startswith("/") and _name_of(process) == "postgres"
    return held if local else lambda: 0


def _name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _check_text(question: str) -> None:
    try:
        question.encode()
    except UnicodeEncodeError:
        raise UsageError("the question isn't UTF-8; correct it") from None
    if not question.strip() or "\0" in question or len(question) > LONGEST_QUESTION:
        raise UsageError(f"no question of 1 to {LONGEST_QUESTION:,} characters; give one SELECT")


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names, a repeated one with a number behind it."""
    distinct: list[str] = []
    for name in names:
        numbered = (name, *(f"{name}_{number}" for number in range(2, len(distinct) + 3)))
        distinct.append(next(one for one in numbered if one not in distinct))
    return tuple(distinct)


def _json(text: str | bytes) -> object:
    """A JSON value; what is nested too deeply to be one here stays text."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")


def _refusal(error: psycopg.Error, question: str, stopped: str) -> Exception:
    """What became of the question, in one line."""
    reason = bounded(error.diag.message_primary or str(error).partition("\n")[0], _LONGEST_REASON)
    hint = "narrow it, by event_ts for one"
    if stopped or isinstance(error, psycopg.errors.QueryCanceled):
        return UsageError(f"the question was stopped: {stopped or reason}; {hint}")
    match error:
        case psycopg.errors.ConfigurationLimitExceeded() | psycopg.errors.OutOfMemory() | psycopg.errors.DiskFull():
            return UsageError(f"the question took too much ({reason}); {hint}")
        case psycopg.errors.InsufficientPrivilege():
            return UsageError(
                f"{reason}: {reader.ROLE} may only read views; `rustbucket db shell -c '\\dv'` lists them"
            )
        case psycopg.errors.SyntaxError() if not question.lstrip().lower().startswith(_QUESTIONS):
            return UsageError(f"{reader.ROLE} may only read; give one SELECT")
        case psycopg.OperationalError() if error.sqlstate is None:
            return DatabaseUnavailable(f"PostgreSQL went away ({reason}); ask again")
        case _:
            return UsageError(f"PostgreSQL doesn't take the question: {reason}; correct it")
