"""Plays the fleet's past: the sources' files on disk, and the truth about every byte in them.

Deterministic in (end, hours, rustbuckets, seed): the same bytes every time. No clock is read here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rustbucket_pipeline.demo.acts import microseconds, moment_of
from rustbucket_pipeline.demo.cast import SimulatedRustbucket, cast_fleet, instance_name
from rustbucket_pipeline.demo.files import LogFile, log_files
from rustbucket_pipeline.demo.incidents import INCIDENTS
from rustbucket_pipeline.demo.lines import Line, boot_lines, hour_lines
from rustbucket_pipeline.demo.playbook import Phase
from rustbucket_pipeline.demo.truth import TrueFile, TrueRecord, true_file, true_records
from rustbucket_pipeline.errors import UsageError

HOUR = timedelta(hours=1)
HISTORY_DAYS = 7
HISTORY_HOURS = (0, 8, 16)
"""Hours of each day of the history, counted from the hour of day the window starts at, in which anything happens."""

NEWEST = timedelta(hours=4)
"""The last window: the campaign that is new begins with it."""

MOST_RUSTBUCKETS = 200
"""The truth about every record is held in memory: about 8 MB and a quarter of a second per rustbucket and 8 hours."""

SPILL = timedelta(minutes=1)
"""The first records after the end are there too, so that every rustbucket is known to have passed it."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """A fleet's past on disk and the truth about it. The window is `[start, end)`, UTC.

    Below `root`: `sources/<BKT…>/` as an uploader fills a bucket, `served/<BKT…>/extract_logs` for HTTP.
    """

    root: Path
    seed: int
    start: datetime
    end: datetime
    rustbuckets: tuple[SimulatedRustbucket, ...]
    files: tuple[TrueFile, ...]
    records: tuple[TrueRecord, ...]

    def folder_of(self, rustbucket: SimulatedRustbucket) -> Path:
        """Where the rustbucket's log files lie: its `logs_url` as a path, or what its HTTP endpoint serves from."""
        return self.root / ("sources" if rustbucket.road == "files" else "served") / rustbucket.id

    @property
    def hours(self) -> tuple[datetime, ...]:
        """The start of every hour before the end in which anything was logged, history included, oldest first."""
        return tuple(hour for hour in hours_played(self.start, self.end) if hour < self.end)


def simulate(root: Path, end: datetime, hours: int, rustbuckets: int, seed: int) -> Simulation:
    """Play `[end − hours, end)` in full and a light week before it, and write the sources below `root`.

    `root` is empty or holds what the same call wrote. Raises `UsageError` when `end` is no 4-hour border, `hours` no
    multiple of 4, or there is no rustbucket.
    """
    if end != end.replace(hour=end.hour // 4 * 4, minute=0, second=0, microsecond=0) or hours < 4 or hours % 4:
        raise UsageError("the demo plays whole 4-hour windows; give --hours as 4, 8, 12 …")
    if not 1 <= rustbuckets <= MOST_RUSTBUCKETS:
        raise UsageError(f"the demo plays 1 to {MOST_RUSTBUCKETS} rustbuckets; give --rustbuckets in that range")
    fleet = cast_fleet(rustbuckets, seed)
    start = end - hours * HOUR
    played = [(member, file) for member in fleet for file in _files_of(member, start, end, seed)]
    simulation = Simulation(
        root,
        seed,
        start,
        end,
        fleet,
        tuple(true_file(member, file) for member, file in played),
        tuple(record for member, file in played for record in true_records(member, file)),
    )
    for member, file in played:
        write_file(simulation.folder_of(member) / file.key, file.data)
    return simulation


def hours_played(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every hour of the play: some of each day of the history, the window, and the hour that begins at its end."""
    for day in range(HISTORY_DAYS, 0, -1):
        yield from (start - timedelta(days=day) + hour * HOUR for hour in HISTORY_HOURS)
    yield from (start + index * HOUR for index in range((end - start) // HOUR + 1))


def phase_of(hour: datetime, start: datetime, end: datetime) -> Phase:
    """Which part of the play an hour belongs to."""
    if hour < start:
        return "history"
    return "newest" if hour >= end - NEWEST else "window"


def write_file(path: Path, data: bytes) -> None:
    """Write a source file whole, or leave it if it has these bytes or has grown beyond them."""
    if path.exists() and path.read_bytes()[: len(data)] == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}")
    aside.write_bytes(data)
    aside.replace(path)


def _files_of(member: SimulatedRustbucket, start: datetime, end: datetime, seed: int) -> Sequence[LogFile]:
    hours: dict[datetime, list[Line]] = {}
    for hour in hours_played(start, end):
        lines = hour_lines(member, hour, phase_of(hour, start, end), seed)
        hours[hour] = [line for line in lines if moment_of(line.at) < end + SPILL]
    instance = instance_name(seed, member.id, 0)
    first = min(hours)
    hours[first] = boot_lines(member, first + timedelta(seconds=1), instance) + hours[first]
    files = log_files(member, hours, instance)
    place = next(index for index, file in enumerate(files) if file.start >= _period_start(member, start))
    for incident in INCIDENTS.get(member.id, ()):
        files = incident(member, files, place, seed)
    return files


def _period_start(member: SimulatedRustbucket, start: datetime) -> int:
    if member.road == "http":
        return 0
    return microseconds(start if member.dialect.hourly_files else start.replace(hour=0))
