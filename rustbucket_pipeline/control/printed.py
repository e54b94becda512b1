"""What a step prints, line by line into its job's log while it runs; Dagster's compute log keeps all of it."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import dagster as dg

from rustbucket_pipeline.control.job_log import LONGEST_MESSAGE, JobLog, Line
from rustbucket_pipeline.control.jobs import JOBS
from rustbucket_pipeline.control.runs import PARTITION, RANGE_END, RANGE_START, targets

POLL_SECONDS = 0.5
MOST_LINES = 10_000
"""Of one step: what prints more is in the compute log only."""

_CHUNK = 1 << 20


def line_of(run: dg.DagsterRun, now: datetime) -> Line | None:
    """A line of the run's job, still empty; None where it is of no job of ours."""
    job = next((job for job in JOBS if job.name == run.job_name or targets(run, job)), None)
    if job is None:
        return None
    return Line(
        time=now,
        level="INFO",
        job=job.name,
        run=run.run_id,
        first_window=run.tags.get(RANGE_START) or run.tags.get(PARTITION),
        last_window=run.tags.get(RANGE_END) or run.tags.get(PARTITION),
        message="",
    )


@contextmanager
def copied(path: Path, log: JobLog, line: Line, clock: Callable[[], datetime]) -> Generator[None]:
    """Copy what is added to that file meanwhile; `line` says whose it is. What can't be written never fails a step."""
    over = Event()
    copy = _Copy(path, log, line, clock)

    def look_on() -> None:
        while not over.wait(POLL_SECONDS):
            copy.more()

    thread = Thread(target=look_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        copy.more()
        copy.rest()


class _Copy:
    """How far a file was copied."""

    def __init__(self, path: Path, log: JobLog, line: Line, clock: Callable[[], datetime]) -> None:
        self._path, self._log, self._line, self._clock = path, log, line, clock
        self._offset = path.stat().st_size if path.exists() else 0  # a step that is tried again adds to its file
        self._begun = b""
        self._written = 0

    def more(self) -> None:
        """Copy the lines that are whole."""
        while chunk := self._read():
            *whole, self._begun = (self._begun + chunk).split(b"\n")
            for text in whole:
                self._write(text)
            if len(self._begun) > LONGEST_MESSAGE * 4:
                self._write(self._begun)
                self._begun = b""

    def rest(self) -> None:
        """Copy the line that never ended."""
        if self._begun:
            self._write(self._begun)

    def _read(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                chunk = file.read(_CHUNK)
        except OSError:
            return b""
        self._offset += len(chunk)
        return chunk

    def _write(self, text: bytes) -> None:
        self._written += 1
        if self._written > MOST_LINES or not text.strip():
            return
        message = text[: LONGEST_MESSAGE * 4].decode("utf-8", "replace").rstrip()
        if self._written == MOST_LINES:
            message = "… it prints more; the run's compute log has all of it"
        try:
            self._log.write(self._line.model_copy(update={"time": self._clock(), "message": message}))
        except OSError:
            self._written = MOST_LINES  # the disk is full, or the like: the compute log may still have it
