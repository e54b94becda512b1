"""Moments as people type them, in UTC: a day, an hour, an exact time, or so long ago."""

import re
from datetime import UTC, datetime, timedelta

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import KEY_FORMAT

_AGO = re.compile(r"(\d{1,5})([mhd])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def moment_named(written: str, now: datetime) -> datetime:
    """The UTC moment of `2026-03-02`, `2026-03-02-04:00`, `2026-03-02T04:00:00Z`, or `36h`, `2d`, `30m` before now.

    Raises:
        UsageError: it is none of these.
    """
    if ago := _AGO.fullmatch(written):
        return now - int(ago[1]) * _UNITS[ago[2]]
    for form in ("%Y-%m-%d", KEY_FORMAT):
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{written[:80]!r} is no time; write 2026-03-02, 2026-03-02-04:00, 2026-03-02T04:05:06Z, "
            "or 36h for that long ago"
        ) from None
