"""The schedules' ticks by hand: what the real crons give, without any cron."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rustbucket_pipeline.model.window import HALF_HOUR, HOUR


def at_minute(minute: int, every: timedelta = HOUR) -> Callable[[datetime], datetime]:
    """The first tick at or after a moment, of those at that minute, each so long after the one before."""

    def tick(moment: datetime) -> datetime:
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
        return start + -(-(moment - start) // every) * every

    return tick


TICKS = {"archive_logs": at_minute(1, HALF_HOUR), "parse_logs": at_minute(10), "analyse_windows": at_minute(20)}
