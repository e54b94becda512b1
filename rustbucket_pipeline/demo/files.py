"""Which file a record is written to: hourly or daily files in the uploader's layout, or one log served by HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rustbucket_pipeline.demo.acts import microseconds
from rustbucket_pipeline.demo.cast import SimulatedRustbucket
from rustbucket_pipeline.demo.lines import Line

SERVED_KEY = "extract_logs"
"""The key of a log that is served by HTTP."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file: its folder and name below the rustbucket's `sources`, and its records in order of writing.

    `start` (microseconds) is the beginning of the period in its name. `copy`: it repeats records of another file.
    """

    folder: str
    name: str
    start: int
    lines: tuple[Line, ...]
    copy: bool = False

    @property
    def key(self) -> str:
        """Path below the rustbucket's `sources`, or `extract_logs`."""
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @property
    def data(self) -> bytes:
        """The whole file."""
        return b"".join(line.data for line in self.lines)

    def with_lines(self, lines: Sequence[Line]) -> "LogFile":
        """The same file with other records."""
        return replace(self, lines=tuple(lines))

    def copied_to(self, folder: str, lines: Sequence[Line] | None = None) -> "LogFile":
        """A copy in another folder, of all records or some."""
        return replace(self, folder=folder, lines=self.lines if lines is None else tuple(lines), copy=True)


def log_files(rustbucket: SimulatedRustbucket, hours: Mapping[datetime, list[Line]], folder: str) -> list[LogFile]:
    """The rustbucket's hours (by their start, UTC) as the files it writes, oldest first, before anything goes wrong."""
    if rustbucket.road == "http":
        lines = tuple(line for hour in sorted(hours) for line in hours[hour])
        return [LogFile("", SERVED_KEY, microseconds(min(hours)), lines)]
    files: dict[str, LogFile] = {}
    for hour in sorted(hours):
        name = hour.strftime(rustbucket.dialect.file_name)
        start = hour if rustbucket.dialect.hourly_files else hour.replace(hour=0)
        file = files.get(name) or LogFile(folder, name, microseconds(start), ())
        files[name] = file.with_lines([*file.lines, *hours[hour]])
    return list(files.values())
