"""Names: what a source file's name says of its period, and where a segment lies in the archive.

The only place object keys are built. Keys come from our ids, the window and the content, never from a source's names.
"""

import re
from datetime import UTC, datetime, timedelta

_LOG_NAME = re.compile(r"rustbucket\.log\.(\d{4}-\d\d-\d\d)(?:-(\d\d))?", re.ASCII)


def period_of(key: str) -> tuple[datetime, datetime] | None:
    """The UTC day or hour a log file covers by its name (`rustbucket.log.YYYY-MM-DD[-HH]`), or None if it is no log.

    The name is the rolling appender's: the time of writing. Records may be a little older or newer.
    """
    match = _LOG_NAME.fullmatch(key.rpartition("/")[2])
    if match is None:
        return None
    day, hour = match.groups()
    try:
        start = datetime.strptime(f"{day} {hour or '00'}", "%Y-%m-%d %H").replace(tzinfo=UTC)
    except ValueError:
        return None
    return start, start + (timedelta(hours=1) if hour else timedelta(days=1))


def segment_key(rustbucket_id: str, window_start: datetime, sha256: str) -> str:
    """Object key of a segment: the same rustbucket, window and content give the same key."""
    return f"raw/{rustbucket_id}/{window_start:%Y/%m/%d/%H%M}/{sha256}.log.zst"
