"""How much was archived since a moment, for whoever says what is new since it last looked."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from rustbucket_pipeline.storage.canary import CANARY
from rustbucket_pipeline.storage.tables import segments


@dataclass(frozen=True, slots=True)
class Growth:
    """Segments added to the archive, and the log bytes in them."""

    segments: int
    bytes: int


def growth_since(connection: Connection, moment: datetime | None) -> Growth:
    """What pulls since then (UTC) have archived; without a moment, everything."""
    raw = func.coalesce(func.sum(segments.c.byte_end - segments.c.byte_start), 0)
    query = select(func.count().label("segments"), raw.label("bytes")).where(segments.c.rustbucket_id != CANARY)
    row = connection.execute(query if moment is None else query.where(segments.c.pulled_at >= moment)).one()
    return Growth(row.segments, int(row.bytes))
