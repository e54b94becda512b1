"""The story of a window's top finding, from the sentence in the report down to bytes in the archive. By SQL alone.

Nothing is judged here: severity, rule and evidence are what the analysis wrote. How it is shown is the caller's.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from rustbucket_pipeline.model.window import FOUR_HOURS
from rustbucket_pipeline.storage.postgres import load_sql

_ROOM = "rustbucket_pipeline.demo"

SHOWN_ROWS = 3
"""Rows of evidence that are followed down to their bytes."""


@dataclass(frozen=True, slots=True)
class StoryRow:
    """One row of evidence and where its bytes are.

    The record is `byte_length` bytes at `byte_offset` of its log; `in_object` bytes into the uncompressed object
    `object_key`, which holds `[segment_start, segment_end)` of the log and hashes to `sha256`. `source_key` is the file
    below the rustbucket's sources. Texts are the attacker's.
    """

    event_id: str
    rustbucket_id: str
    event_ts: datetime
    event_type: str
    src_ip: str | None
    text: str
    byte_offset: int
    byte_length: int
    object_key: str
    sha256: str
    segment_start: int
    segment_end: int
    in_object: int
    source_key: str


@dataclass(frozen=True, slots=True)
class Story:
    """The top finding of a window `[window, window + 4 h)`, UTC: the report's summary, the finding, its evidence.

    `events`: how many rows it rests on. `news`: what these name that wasn't seen in the week before, as `type value`.
    """

    window: datetime
    summary: str
    completeness: str
    finding_id: str
    rule: str
    title: str
    severity: str
    technique: str | None
    why: str
    rustbuckets: tuple[str, ...]
    events: int
    news: tuple[str, ...]
    rows: tuple[StoryRow, ...]


def top_story(connection: Connection, end: datetime) -> Story | None:
    """The top finding of the window that ends at `end`: the gravest, among equals the newest in what it names.

    None when the window has no report, or its report no finding.
    """
    found = connection.execute(load_sql(_ROOM, "top_finding"), {"window": end - FOUR_HOURS}).one_or_none()
    if found is None:
        return None
    rows = connection.execute(load_sql(_ROOM, "evidence"), {"ids": found.event_ids, "limit": SHOWN_ROWS})
    return Story(
        end - FOUR_HOURS,
        found.summary,
        found.completeness,
        found.finding_id,
        found.rule,
        found.title,
        found.severity,
        found.technique,
        found.why,
        tuple(found.rustbuckets),
        found.events,
        tuple(found.news),
        tuple(StoryRow(**row) for row in rows.mappings()),
    )
