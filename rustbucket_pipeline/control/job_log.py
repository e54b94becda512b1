"""The log file of each job: what its runs said and printed, one JSON object a line, in `logs/jobs/` of the home.

One file per job and UTC day, opened to append and written by a single call a line, so that any number of processes may
write at once. Whoever writes a day's first line compresses what is old. `<job>.log` is a link to the newest file.
Reading them: `job_log_reading.py`; who writes: `job_log_handler.py` and `printed.py`.
"""

import fcntl
import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from rustbucket_pipeline.events.redact import REDACTED, redacted
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import private_directory

LONGEST_MESSAGE = 4000

_SHORTEST_SECRET = 6


class Line(BaseModel):
    """One line: when (UTC), how grave, of which job and run, of which windows where that is known, and what.

    `state` is what the run just did, where the line tells of that.
    """

    model_config = ConfigDict(frozen=True)

    time: AwareDatetime
    level: str
    job: str
    run: str | None = None
    first_window: str | None = None
    last_window: str | None = None
    step: str | None = None
    state: Literal["began", "succeeded", "failed", "canceled"] | None = None
    message: str


@dataclass(frozen=True, slots=True)
class JobLog:
    """Writes lines below a directory. `secrets` are taken out of every line, wherever they stand.

    Files older than `compress_after` days are compressed; those older than `keep` days go, if it is set.
    """

    directory: Path
    compress_after: int
    keep: int | None
    secrets: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> "JobLog":
        """The home's."""
        return cls(
            directory_of(settings),
            settings.job_log_compress_days,
            settings.job_log_keep_days,
            tuple(_secrets(settings)),
        )

    def write(self, line: Line) -> None:
        """Add the line to its job's file of its day: bounded, control characters escaped, without our secrets.

        Raises:
            OSError: it can't be written.
            ConfigurationError: its directory can't be made.
        """
        safe = line.model_copy(update={"message": self._safe(line.message)})
        data = safe.model_dump_json(exclude_none=True).encode("utf-8") + b"\n"
        path = path_of(self.directory, line.job, line.time)
        descriptor, new = self._open(path)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        if new:
            self._begin_day(line.job, path)

    def _safe(self, message: str) -> str:
        for secret in self.secrets:
            message = message.replace(secret, REDACTED)
        return bounded(redacted(message, registers=True)[0], LONGEST_MESSAGE)

    def _open(self, path: Path) -> tuple[int, bool]:
        """The file, and whether it was made just now, by us."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        with suppress(FileNotFoundError):
            return os.open(path, flags), False
        private_directory(self.directory)
        try:
            return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600), True
        except FileExistsError:
            return os.open(path, flags), False

    def _begin_day(self, job: str, newest: Path) -> None:
        """What the first line of a day brings along; another process that is at it already does it for us."""
        with (self.directory / f".{job}.lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            link = self.directory / f".{job}.link"
            link.unlink(missing_ok=True)
            link.symlink_to(newest.name)
            link.replace(self.directory / f"{job}.log")
            self._tidy(job, day_of(newest))

    def _tidy(self, job: str, today: date) -> None:
        for path in files_of(self.directory, job):
            age = (today - day_of(path)) // timedelta(days=1)
            if self.keep is not None and age > self.keep:
                path.unlink()
            elif path.suffix == ".log" and age > self.compress_after:
                _compress(path)


def directory_of(settings: Settings) -> Path:
    """Where the home's job logs are."""
    return settings.home / "logs" / "jobs"


def path_of(directory: Path, job: str, moment: datetime) -> Path:
    """The job's file of that UTC day."""
    return directory / f"{job}.{moment:%Y-%m-%d}.log"


def files_of(directory: Path, job: str) -> list[Path]:
    """The job's files, oldest first; one that is there plain and compressed, by a crash, only plain."""
    plain = sorted(directory.glob(f"{job}.????-??-??.log"))
    packed = (path for path in directory.glob(f"{job}.????-??-??.log.gz") if not path.with_suffix("").exists())
    return sorted([*plain, *packed], key=day_of)


def day_of(path: Path) -> date:
    """The day whose lines are in that file."""
    return date.fromisoformat(path.name.split(".")[1])


def _compress(path: Path) -> None:
    """Replace the file by a compressed one; whatever moment it is interrupted at, one of them is whole."""
    packed = path.with_name(f"{path.name}.gz")
    part = path.with_name(f".{packed.name}.part")
    with path.open("rb") as source, part.open("wb") as out:
        with gzip.GzipFile(path.name, "wb", fileobj=out, mtime=0) as target:
            shutil.copyfileobj(source, target)
        os.fsync(out.fileno())
    part.chmod(0o600)
    part.replace(packed)
    path.unlink()


def _secrets(settings: Settings) -> Iterator[str]:
    """Every secret the settings hold, and the passwords in their addresses."""
    for _, value in settings:
        for one in cast("tuple[object, ...]", value if isinstance(value, tuple) else (value,)):
            if isinstance(one, SecretStr):
                yield from (text for text in _parts(one.get_secret_value()) if len(text) >= _SHORTEST_SECRET)


def _parts(secret: str) -> Iterator[str]:
    yield secret
    with suppress(ArgumentError):
        yield str(make_url(secret).password or "")
