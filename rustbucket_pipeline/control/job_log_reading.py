"""Reads the log files of jobs, compressed ones too: their last lines, those since a moment, and what comes after."""

import gzip
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader
from pathlib import Path

from pydantic import ValidationError

from rustbucket_pipeline.control.job_log import Line, day_of, files_of

POLL_SECONDS = 0.3


def last_lines(directory: Path, job: str, most: int) -> list[Line]:
    """The job's last lines, oldest first; what isn't a line of ours is left out."""
    found: deque[Line] = deque()
    for path in reversed(files_of(directory, job)):
        for line in reversed(_tail(path, most - len(found))):
            found.appendleft(line)
        if len(found) >= most:
            break
    return list(found)


def lines_since(directory: Path, job: str, since: datetime) -> Iterator[Line]:
    """The job's lines since then (UTC), oldest first, read as they are asked for."""
    for path in files_of(directory, job):
        if day_of(path) >= since.date():
            with _opened(path) as file:
                yield from (line for line in _lines(file) if line.time >= since)


@dataclass(slots=True)
class Follower:
    """Reads what is added to a job's log from now on, over the turn of days."""

    directory: Path
    job: str
    _offsets: dict[Path, int] = field(default_factory=dict[Path, int])

    def __post_init__(self) -> None:
        """Begin at the end of what is there."""
        self._offsets = {path: path.stat().st_size for path in self._files()}

    def new(self) -> Iterator[Line]:
        """The lines added since the last call."""
        for path in self._files():
            begun = self._offsets.get(path, 0)
            with path.open("rb") as file:
                file.seek(begun)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._offsets[path] = begun + len(whole)
            yield from _lines(whole.splitlines())

    def lines(self, stopped: Callable[[], bool]) -> Iterator[Line]:
        """Lines as they come, until told to stop; what was added before that is still yielded."""
        while True:
            last = stopped()
            yield from self.new()
            if last:
                return
            time.sleep(POLL_SECONDS)

    def _files(self) -> list[Path]:
        """The newest two: around midnight, both are written."""
        return [path for path in files_of(self.directory, self.job)[-2:] if path.suffix == ".log"]


def _tail(path: Path, most: int) -> list[Line]:
    with _opened(path) as file:
        return list(_lines(deque(file, maxlen=most)))


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _lines(raw: Iterable[bytes]) -> Iterator[Line]:
    for one in raw:
        try:
            yield Line.model_validate_json(one)
        except ValidationError:
            continue
