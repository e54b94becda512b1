"""Names: what a source file's key says of its period, which keys are no log's, and where a segment lies in the archive.

The only place object keys are built. Keys come from our ids, the window and the content, never from a source's names.
"""

import re
from datetime import UTC, datetime, timedelta

SEGMENTS = "raw"
"""Where segments lie."""

_SEGMENT_KEY = re.compile(r"raw/(BKT[0-9]{1,18})/(\d{4}/\d\d/\d\d/\d{4})/[0-9a-f]{64}\.log\.zst", re.ASCII)
_LOG_NAME = re.compile(r"rustbucket\.log\.(\d{4}-\d\d-\d\d)(?:-(\d\d))?(?:\.gz|\.zst)?", re.ASCII)
_ESCAPED = re.compile(r"%(?:00|2e|2f|5c)", re.IGNORECASE)

YEARS = range(2000, 2200)
"""Years a log file's name may say; others are no uploader's."""

LONGEST_KEY = 512
"""Bytes of a key below its source's root; an uploader's have about 60."""


def period_of(key: str) -> tuple[datetime, datetime] | None:
    """The UTC day or hour a log file covers by its name (`rustbucket.log.YYYY-MM-DD[-HH]`), or None if it is no log.

    The name is the rolling appender's: the time of writing. Records may be a little older or newer. A compressed file
    (`.gz`, `.zst`) covers what it would uncompressed.
    """
    match = _LOG_NAME.fullmatch(key.rpartition("/")[2])
    if match is None:
        return None
    day, hour = match.groups()
    try:
        start = datetime.strptime(f"{day} {hour or '00'}", "%Y-%m-%d %H").replace(tzinfo=UTC)
    except ValueError:
        return None
    if start.year not in YEARS:
        return None
    return start, start + (timedelta(hours=1) if hour else timedelta(days=1))


def oddity(key: str) -> str | None:
    """Why a key below a source's root is none an uploader makes, so that it is never opened; None: it is plain."""
    if not key.isprintable() or "\ufffd" in key:
        return "control characters or no UTF-8 in its name"
    if len(key.encode()) > LONGEST_KEY:
        return f"its name is longer than {LONGEST_KEY} bytes"
    if not {"", ".", ".."}.isdisjoint(key.split("/")) or "\\" in key or _ESCAPED.search(key):
        return "empty, relative or escaped parts in its path"
    return None


def segment_key(rustbucket_id: str, window_start: datetime, sha256: str) -> str:
    """Object key of a segment: the same rustbucket, window and content give the same key."""
    return f"{SEGMENTS}/{rustbucket_id}/{window_start:%Y/%m/%d/%H%M}/{sha256}.log.zst"


def place_of(object_key: str) -> tuple[str, datetime] | None:
    """Rustbucket and window start (UTC) of a segment's key, or None if no segment has such a key."""
    match = _SEGMENT_KEY.fullmatch(object_key)
    if match is None:
        return None
    try:
        return match[1], datetime.strptime(match[2], "%Y/%m/%d/%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
