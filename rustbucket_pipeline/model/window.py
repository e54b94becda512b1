"""Windows of event time: half-open, UTC, named by their start. The only place keys are written or read.

No clocks here, and no Dagster: `defs/partitions.py` builds its partitions from the same constants.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rustbucket_pipeline.errors import BadWindow

HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)
FOUR_HOURS = timedelta(hours=4)

KEY_FORMAT = "%Y-%m-%d-%H:%M"
"""How a window's start is written as a partition key, for every cadence."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """`[start, start + length)` in UTC, aligned to multiples of its length since midnight."""

    start: datetime
    length: timedelta

    @property
    def end(self) -> datetime:
        """First instant that is no longer inside."""
        return self.start + self.length

    @property
    def key(self) -> str:
        """The partition key, e.g. `2026-03-02-00:30`."""
        return self.start.strftime(KEY_FORMAT)

    def parts(self, length: timedelta) -> Iterator["Window"]:
        """The shorter windows this one is made of, in order."""
        return windows_between(self.start, self.end, length)

    def __str__(self) -> str:
        """Written for people: `2026-03-02 00:00–04:00 UTC`."""
        return f"{self.start:%Y-%m-%d %H:%M}–{self.end:%H:%M} UTC"


def window_at(moment: datetime, length: timedelta) -> Window:
    """The window of that length that holds the moment."""
    elapsed = moment.astimezone(UTC) - EPOCH
    return Window(EPOCH + (elapsed // length) * length, length)


def window_of_key(key: str, length: timedelta) -> Window:
    """The window a partition key names.

    Raises:
        BadWindow: not of the form `YYYY-MM-DD-HH:MM`, or not on a border of that length.
    """
    try:
        start = datetime.strptime(key, KEY_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise BadWindow(f"{key!r} is no window; write its start in UTC like 2026-03-02-04:00") from None
    window = window_at(start, length)
    if window.start != start or window.key != key:
        hours, minutes = length // HOUR, length // timedelta(minutes=1)
        span = f"{hours} hours" if hours > 1 else f"{minutes} minutes"
        raise BadWindow(f"{key!r} isn't on a border of {span}; the window around it is {window.key}")
    return window


def windows_between(start: datetime, end: datetime, length: timedelta) -> Iterator[Window]:
    """Every window of that length that begins in `[start, end)`, in order."""
    window = window_at(start, length)
    if window.start < start:
        window = Window(window.end, length)
    while window.start < end:
        yield window
        window = Window(window.end, length)
