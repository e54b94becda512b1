"""A segment: a run of archived bytes of one source file that all belong to one half-hour window."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes `[byte_start, byte_end)` of one log, stored under `object_key` (zstd of exactly these bytes).

    `sha256` is the hex digest of the uncompressed bytes, as they are stored now.
    `clock` is the event time of the record before the first
    one here, which records without a usable time of their own inherit; `vouched_from` and `vouched_until` bound
    the times a record may claim (DESIGN section 3). All times are UTC.
    """

    id: int
    log_id: int
    source_file_id: int
    rustbucket_id: str
    window_start: datetime
    byte_start: int
    byte_end: int
    object_key: str
    sha256: str
    clock: datetime
    after_text: bool
    vouched_from: datetime
    vouched_until: datetime
