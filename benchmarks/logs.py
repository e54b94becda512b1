"""The bytes that are measured: hours of JSON log as the demo's fleet writes them, grown to any size.

An hour is played anew per seed until it is large; the other hours are the same with their own times. Their copies lie
farther apart than zstd looks back (2 MB at level 3), so nothing compresses better than a real log.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from rustbucket_pipeline.demo.cast import cast_fleet
from rustbucket_pipeline.demo.lines import Line, hour_lines

FIRST_HOUR = datetime(2026, 3, 2, tzinfo=UTC)
HOUR_BYTES = 8_000_000


def hours_of_log(size: int) -> dict[datetime, bytes]:
    """Whole hours, by their start (UTC), at least `size` bytes together."""
    return dict(hour_after_hour(size))


def hour_after_hour(size: int) -> Iterator[tuple[datetime, bytes]]:
    """The same, each made when it is asked for."""
    played = _played_hour()
    for index in range(-(-size // len(played))):
        hour = FIRST_HOUR + timedelta(hours=index)
        yield hour, played.replace(_head(FIRST_HOUR), _head(hour))


def _played_hour() -> bytes:
    rustbucket = cast_fleet(1, seed=1)[0]
    lines: list[Line] = []
    size = 0
    for seed in count(1):
        new = hour_lines(rustbucket, FIRST_HOUR, "window", seed)
        lines += new
        size += sum(len(line.data) for line in new)
        if size >= HOUR_BYTES:
            return b"".join(line.data for line in sorted(lines, key=lambda line: line.at))
    raise AssertionError


def _head(hour: datetime) -> bytes:
    return f'{{"timestamp":"{hour:%Y-%m-%dT%H}:'.encode()
