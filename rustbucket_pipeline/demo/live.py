"""The simulated fleet goes on in real time, where its past ended: the same attackers, the same seed, the clock's pace.

Logs that are served, and the text eras' daily files, grow as things happen. An hourly file appears a minute after its
hour, where a real uploader takes 5 to 65. The clock is the caller's.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from rustbucket_pipeline.demo.acts import moment_of
from rustbucket_pipeline.demo.cast import SimulatedRustbucket, instance_name
from rustbucket_pipeline.demo.files import SERVED_KEY
from rustbucket_pipeline.demo.lines import Line, hour_lines
from rustbucket_pipeline.demo.simulate import HOUR, SPILL, Simulation, write_file

UPLOAD_DELAY = timedelta(minutes=1)
"""How long after an hour its file appears."""


class LiveFleet:
    """Call `step(now)` from a loop, every second or every minute. A new process goes on where the last one stopped."""

    def __init__(self, simulation: Simulation) -> None:
        """Start at the end of the simulated past; the first step catches up."""
        self._simulation = simulation
        self._reached = {member.id: simulation.end + SPILL for member in simulation.rustbuckets}
        self._simulated = {(file.rustbucket_id, file.key): file.bytes for file in simulation.files}
        self._already: dict[Path, int] = {}
        self._hour: dict[tuple[str, datetime], list[Line]] = {}

    def step(self, now: datetime) -> int:
        """Write what happened since the last step and before `now` (UTC); returns how many records that were."""
        return sum(self._advance(member, now) for member in self._simulation.rustbuckets)

    def _advance(self, member: SimulatedRustbucket, now: datetime) -> int:
        hourly = member.road == "files" and member.dialect.hourly_files
        written = self._put_hours(member, now - UPLOAD_DELAY) if hourly else self._append(member, now)
        self._forget(member, now)
        return written

    def _put_hours(self, member: SimulatedRustbucket, now: datetime) -> int:
        """Write the files of the hours that have ended, whole."""
        written, hour = 0, _hour_of(self._reached[member.id])
        while hour + HOUR <= now:
            lines = self._lines(member, hour)
            write_file(self._path(member, hour), b"".join(line.data for line in lines))
            written += len(lines)
            hour += HOUR
            self._reached[member.id] = hour
        return written

    def _append(self, member: SimulatedRustbucket, now: datetime) -> int:
        written, since = 0, self._reached[member.id]
        if now <= since:
            return 0
        hour = _hour_of(since)
        while hour < now:
            lines = [line for line in self._lines(member, hour) if since <= moment_of(line.at) < now]
            self._extend(member, self._path(member, hour), b"".join(line.data for line in lines))
            written += len(lines)
            hour += HOUR
        self._reached[member.id] = now
        return written

    def _extend(self, member: SimulatedRustbucket, path: Path, data: bytes) -> None:
        """Append, but not again what an earlier process has appended."""
        if path not in self._already:
            size = path.stat().st_size if path.exists() else 0
            key = path.relative_to(self._simulation.folder_of(member)).as_posix()
            self._already[path] = size - self._simulated.get((member.id, key), 0)
        there = min(self._already[path], len(data))
        self._already[path] -= there
        if there < len(data):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(data[there:])

    def _lines(self, member: SimulatedRustbucket, hour: datetime) -> list[Line]:
        """The hour's records, kept while it lasts: every step asks for them."""
        if (member.id, hour) not in self._hour:
            self._hour[member.id, hour] = hour_lines(member, hour, "newest", self._simulation.seed)
        return self._hour[member.id, hour]

    def _forget(self, member: SimulatedRustbucket, now: datetime) -> None:
        for hour in list(self._ended_hours(member, now)):
            del self._hour[member.id, hour]

    def _ended_hours(self, member: SimulatedRustbucket, now: datetime) -> Iterator[datetime]:
        return (hour for owner, hour in self._hour if owner == member.id and hour < _hour_of(now))

    def _path(self, member: SimulatedRustbucket, hour: datetime) -> Path:
        folder = self._simulation.folder_of(member)
        if member.road == "http":
            return folder / SERVED_KEY
        return folder / self._instance(member) / hour.strftime(member.dialect.file_name)

    def _instance(self, member: SimulatedRustbucket) -> str:
        """The folder of the member's newest file: it may have been restarted in the past that was played."""
        newest = max(
            (file for file in self._simulation.files if file.rustbucket_id == member.id and not file.copy),
            key=lambda file: file.key.rpartition("/")[2],
        )
        return newest.key.partition("/")[0] or instance_name(self._simulation.seed, member.id, 0)


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
