"""A second process that reads shares while this one does: what takes the time is Python, and that has one core.

It is given stored bytes and gives back rows: it knows no database, no store and no settings. `main` is that process.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from queue import Empty, Queue
from threading import Thread
from traceback import format_exc
from typing import NamedTuple

from rustbucket_pipeline.errors import ReaderLost, RustbucketError
from rustbucket_pipeline.events.reading import Came, Source, read_share

_CHUNKS_WAITING = 16
_SECONDS = 0.05


class _Task(NamedTuple):
    """A share to be read, and the objects of its segments, by key."""

    source: Source
    objects: Mapping[str, bytes]


class Beside:
    """The process, as this one sees it."""

    def __init__(self, process: "subprocess.Popen[bytes]", line: "Connection[_Task, object]") -> None:
        """Nothing is asked of it yet."""
        self._process, self._line = process, line
        self._came = Queue[object](_CHUNKS_WAITING)
        self._asked: list[Callable[[Came], None]] = []
        self._listening = Thread(target=self._listen, daemon=True)
        self._listening.start()

    @property
    def pid(self) -> int:
        """Which process it is."""
        return self._process.pid

    @property
    def asked(self) -> int:
        """Shares it was given and hasn't read to their end."""
        return len(self._asked)

    def ask(self, source: Source, objects: Mapping[str, bytes], done: Callable[[Came], None]) -> None:
        """Have it read a share; its rows come with those of others."""
        self._asked.append(done)
        try:
            self._line.send(_Task(source, objects))
        except OSError as error:
            raise _gone() from error

    def ready(self) -> Iterator[bytes]:
        """The rows that have come."""
        while self._asked:
            try:
                yield from self._taken(self._came.get_nowait())
            except Empty:
                return

    def rest(self) -> Iterator[bytes]:
        """All rows of what it was asked for."""
        while self._asked:
            yield from self._taken(self._came.get())

    def end(self) -> None:
        """Have it end, whatever it does."""
        self._process.kill()
        while self._listening.is_alive():
            try:
                self._came.get(timeout=_SECONDS)
            except Empty:
                continue
        self._line.close()
        self._process.wait()

    def _taken(self, came: object) -> Iterator[bytes]:
        match came:
            case bytes():
                yield came
            case Came():
                self._asked.pop(0)(came)
            case Exception():
                raise came
            case _:
                raise _gone()

    def _listen(self) -> None:
        try:
            while True:
                self._came.put(self._line.recv_bytes() or self._line.recv())
        except (EOFError, OSError):
            pass
        finally:
            self._came.put(None)


@contextmanager
def beside() -> Generator[Beside]:
    """A second process, which ends with this."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        paths = {"PYTHONPATH": os.pathsep.join(sys.path)}  # where Dagster found us, if we aren't installed
        process = subprocess.Popen(
            command, env={**os.environ, **paths}, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        line: Connection[_Task, object] = Connection(ours.detach())
    other = Beside(process, line)
    try:
        yield other
    finally:
        other.end()


def _gone() -> ReaderLost:
    return ReaderLost("the process that reads beside this one ended; nothing was loaded, run it again")


class _Given(NamedTuple):
    """The objects that came with a task."""

    objects: Mapping[str, bytes]

    def get(self, key: str) -> bytes:
        return self.objects[key]


def main() -> None:
    """Read what is asked for until nobody asks any more. Argument: the descriptor of the socket to whoever asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    line: Connection[object, _Task] = Connection(int(sys.argv[1]))
    tasks = Queue[_Task | None]()
    Thread(target=_hear, args=(line, tasks), daemon=True).start()
    try:
        while (task := tasks.get()) is not None:
            _answer(line, task)
    except ConnectionError:
        return


def _hear(line: "Connection[object, _Task]", tasks: "Queue[_Task | None]") -> None:
    """Take every task at once: whoever asks doesn't wait for the one before."""
    try:
        while True:
            tasks.put(line.recv())
    except (EOFError, OSError):
        tasks.put(None)


def _answer(line: "Connection[object, _Task]", task: _Task) -> None:
    """Rows as bytes; then nothing, and what it came to, or why it didn't."""
    came: list[Came | Exception] = []
    try:
        for rows in read_share(task.source, _Given(task.objects), came.append):
            line.send_bytes(rows)
    except ConnectionError:
        raise
    except RustbucketError as error:
        came.append(error)
    except Exception:  # noqa: BLE001 (it is told where it was asked for; not every error can be sent)
        came.append(RuntimeError(f"in the process that reads beside this one:\n{format_exc()}"))
    line.send_bytes(b"")
    line.send(came[0])


if __name__ == "__main__":
    main()
