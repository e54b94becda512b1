"""The bytes that are measured: hours of log as the demo's fleet writes them, grown to any size.

An hour is played anew per seed until it is large; the other hours are the same with their own times. Their copies lie
farther apart than zstd looks back (2 MB at level 3), so nothing compresses better than a real log.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from rustbucket_pipeline.demo.cast import cast_fleet
from rustbucket_pipeline.demo.dialects import DIALECTS
from rustbucket_pipeline.demo.lines import Line, hour_lines

FIRST_HOUR = datetime(2026, 3, 2, tzinfo=UTC)
HOUR_BYTES = 8_000_000

_UPLOADS = b"rustbucket::s3_logger"


def hours_of_log(size: int) -> dict[datetime, bytes]:
    """Whole hours, by their start (UTC), at least `size` bytes together."""
    return dict(hour_after_hour(size))


def hour_after_hour(size: int) -> Iterator[tuple[datetime, bytes]]:
    """The same, each made when it is asked for."""
    played = b"".join(line.data for line in played_hour("json"))
    for index in range(-(-size // len(played))):
        hour = FIRST_HOUR + timedelta(hours=index)
        yield hour, at_hour(played, hour)


def played_hour(dialect: str, wanted: Callable[[Line], bool] = lambda _: True) -> list[Line]:
    """The first hour's records in order of time, no two the same, and but one round of uploads."""
    rustbucket = replace(cast_fleet(1, seed=1)[0], dialect=DIALECTS[dialect])
    lines: dict[bytes, Line] = {}
    size = 0
    for seed in count(1):
        for line in hour_lines(rustbucket, FIRST_HOUR, "window", seed):
            again = line.data in lines or (seed > 1 and _UPLOADS in line.data)
            if wanted(line) and not again:
                lines[line.data] = line
                size += len(line.data)
        if size >= HOUR_BYTES:
            return sorted(lines.values(), key=lambda line: line.at)
    raise AssertionError


def at_hour(played: bytes, hour: datetime) -> bytes:
    """The first hour's records as those of another hour."""
    return played.replace(_stamp(FIRST_HOUR), _stamp(hour))


def _stamp(hour: datetime) -> bytes:
    return f"{hour:%Y-%m-%dT%H}:".encode()
