"""When jobs tick: the table of jobs, the settings, and what operators changed, kept in the home's `schedules.toml`.

That file is the list of all changes with who and when; for each job its last one counts. Read when definitions load.
"""

import fcntl
import json
import re
import tomllib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dagster._utils.schedules import cron_string_iterator, is_valid_cron_string  # Dagster exports these nowhere else
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from rustbucket_pipeline.control.jobs import JOBS, Job, job_named
from rustbucket_pipeline.errors import ConfigurationError, UsageError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import replace_text
from rustbucket_pipeline.upkeep.dashboard.task import DASHBOARD

TEST_CRON = "*/5 * * * *"
"""Every job's, in test mode."""

_HEAD = "# Changes to when jobs tick, oldest first; the last of a job counts. Written by `rustbucket jobs schedule`.\n"
_EVERY = re.compile(r"([1-9][0-9]{0,3})(m|h|d)")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
_HOUR, _DAY = 60, 24 * 60


class Change(BaseModel):
    """What an operator changed for a job; None: left as it was. `at` in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str
    by: str
    at: AwareDatetime
    cron: str | None = None
    timezone: str | None = None
    on: bool | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    change: list[Change] = []


@dataclass(frozen=True, slots=True)
class Timing:
    """When a job ticks, whether it does unless switched in the UI, and whether test mode overrides its cadence."""

    cron: str
    timezone: str
    on: bool
    testing: bool
    changed: Change | None = None

    def tick(self, moment: datetime) -> datetime:
        """The first tick at or after the moment (UTC)."""
        return next(cron_string_iterator(moment.timestamp(), self.cron, self.timezone)).astimezone(UTC)


def load_timetable(settings: Settings) -> dict[str, Timing]:
    """When each job ticks, by its name.

    Raises:
        ConfigurationError: `schedules.toml` can't be read, or says what no schedule can be.
    """
    changes = history(settings)
    try:
        return {job.name: _timing(settings, job, changes) for job in JOBS}
    except UsageError as error:
        raise ConfigurationError(f"{_path(settings)}: {error}") from error


def history(settings: Settings) -> list[Change]:
    """Every change ever made, oldest first.

    Raises:
        ConfigurationError: `schedules.toml` can't be read.
    """
    path = _path(settings)
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).change
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (tomllib.TOMLDecodeError, ValidationError, UnicodeDecodeError, OSError) as error:
        what = f"{len(error.errors())} entries are malformed" if isinstance(error, ValidationError) else error
        raise ConfigurationError(f"{path} can't be read ({what}); correct it, or delete it to undo all") from error


def reschedule(settings: Settings, change: Change) -> Timing:
    """Note the change; it holds from the next loading of the definitions on (a running daemon: within a minute).

    Raises:
        UsageError: there is no such job, or no such cron or time zone.
    """
    job = job_named(change.job)
    path = _path(settings)
    with _alone(path.with_suffix(".lock")):
        changes = [*history(settings), change]
        timing = _timing(settings, job, changes)
        replace_text(path, _HEAD + "".join(_written(one) for one in changes))
    return timing


def cron_of(every: str) -> str:
    """The cron of a cadence like `15m`, `2h` or `1d`; each day the same, counted from midnight.

    Raises:
        UsageError: not of that form, or it doesn't divide an hour or a day.
    """
    found = _EVERY.fullmatch(every)
    minutes = int(found[1]) * _MINUTES[found[2]] if found else 0
    if minutes and _HOUR % minutes == 0 and minutes < _HOUR:
        return f"*/{minutes} * * * *"
    if minutes and minutes % _HOUR == 0 and _DAY % minutes == 0:
        hours = minutes // _HOUR
        return {1: "0 * * * *", 24: "0 0 * * *"}.get(hours, f"0 */{hours} * * *")
    raise UsageError(f"{every!r} is no cadence; write one that divides an hour or a day (15m, 2h, 1d), or use --cron")


def _path(settings: Settings) -> Path:
    return settings.home / "schedules.toml"


def _timing(settings: Settings, job: Job, changes: Iterable[Change]) -> Timing:
    own = [change for change in changes if change.job == job.name]
    cron = next((change.cron for change in reversed(own) if change.cron), None) or _own_cron(settings, job)
    timezone = next((change.timezone for change in reversed(own) if change.timezone), settings.tick_timezone)
    on = next((change.on for change in reversed(own) if change.on is not None), True)
    _check(job, cron, timezone)
    testing = settings.test_mode
    return Timing(TEST_CRON if testing else cron, timezone, on, testing, own[-1] if own else None)


def _own_cron(settings: Settings, job: Job) -> str:
    """The job's cron where nobody changed it; the dashboard's may be set by the environment."""
    if job.name != DASHBOARD.name or settings.dashboard_interval is None:
        return job.cron
    try:
        return cron_of(settings.dashboard_interval)
    except UsageError as error:
        raise ConfigurationError(f"DASHBOARD_UPDATE_INTERVAL: {error}") from None


def _check(job: Job, cron: str, timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{job.name}: no time zone {timezone!r}; write one like UTC or Europe/Berlin") from None
    wrong = f"{job.name}: {cron!r} is no cron; write minute, hour, day, month and weekday, like '10 * * * *'"
    if not is_valid_cron_string(cron):
        raise UsageError(wrong)
    start = datetime(2000, 1, 1, tzinfo=UTC)
    try:
        next(cron_string_iterator(start.timestamp(), cron, timezone))
    except (ValueError, StopIteration):
        raise UsageError(f"{wrong}, of a day that comes") from None


def _written(change: Change) -> str:
    values = change.model_dump(exclude_none=True, mode="json")
    lines = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
    return f"\n[[change]]\n{lines}".replace("\x7f", "\\u007f")  # the one character TOML escapes and JSON doesn't


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """One change at a time: each is added to those before it."""
    try:
        with path.open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written ({error.strerror}); correct its rights") from error
