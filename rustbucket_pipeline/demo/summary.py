"""The demo in numbers: what was brought in, and what became of it. Counts of the whole play, history included."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from rustbucket_pipeline.demo.home import Play
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.tables import hour_counts, rustbuckets, segments, source_files


@dataclass(frozen=True, slots=True)
class Summary:
    """Bytes as the sources held them (`archived_bytes`) and as stored; `protocols`: events of the played hours."""

    rustbuckets: int
    files: int
    archived_bytes: int
    stored_bytes: int
    segments: int
    records: int
    events: int
    quarantined: int
    duplicates: int
    protocols: Mapping[str, int]


def summary_of(connection: Connection, play: Play) -> Summary:
    """Counted from the tables, after the run."""
    held = connection.execute(
        select(
            func.coalesce(func.sum(segments.c.byte_end - segments.c.byte_start), 0),
            func.coalesce(func.sum(segments.c.stored_bytes), 0),
            func.count(),
            func.coalesce(func.sum(segments.c.records).filter(segments.c.window_start < play.end), 0),
        )
    ).one()
    parsed = connection.execute(
        select(
            func.coalesce(func.sum(hour_counts.c.events), 0),
            func.coalesce(func.sum(hour_counts.c.quarantined), 0),
            func.coalesce(func.sum(hour_counts.c.duplicates), 0),
        )
    ).one()
    protocols = connection.execute(
        load_sql("rustbucket_pipeline.demo", "summary"), {"start": play.start, "until": play.end}
    )
    raw_bytes, stored_bytes, pieces, records = (int(value) for value in held)
    events, quarantined, duplicates = (int(value) for value in parsed)
    return Summary(
        rustbuckets=connection.execute(select(func.count()).select_from(rustbuckets)).scalar_one(),
        files=connection.execute(select(func.count()).select_from(source_files)).scalar_one(),
        archived_bytes=raw_bytes,
        stored_bytes=stored_bytes,
        segments=pieces,
        records=records,
        events=events,
        quarantined=quarantined,
        duplicates=duplicates,
        protocols={row.protocol: row.events for row in protocols},
    )
