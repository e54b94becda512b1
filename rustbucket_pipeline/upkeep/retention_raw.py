"""Archived bytes as they grow old: objects go after `RUSTBUCKET_RAW_KEEP_DAYS`; their place in the ledger stays.

So the logs' chains and the signed manifests still verify. Raw outlives rows: bytes of days that are open
or thawed stay. Nothing of a rustbucket that is held goes.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, update

from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import advisory_lock, load_sql
from rustbucket_pipeline.storage.tables import segments

PAGE = 500
"""Segments of a transaction: a request each in S3."""

MOST = 200_000
"""Segments a night: a first run of years takes some nights."""

_PACKAGE = "rustbucket_pipeline.upkeep"


@dataclass(frozen=True, slots=True)
class OldRaw:
    """Segments whose bytes may go, and their size as stored; `held`: how many are old enough, but held."""

    segments: int
    bytes: int
    held: int


def old_raw(engine: Engine, before: datetime) -> OldRaw:
    """What would go of windows that begin before that moment (UTC)."""
    with engine.connect() as connection:
        row = connection.execute(load_sql(_PACKAGE, "count_old_segments"), {"before": before}).one()
    return OldRaw(row.segments, row.bytes, row.held)


def delete_raw(engine: Engine, archive: Archive, before: datetime, now: datetime) -> OldRaw:
    """Delete the objects, page by page; what went. Killed in between, the next time goes on."""
    gone, size = 0, 0
    query = load_sql(_PACKAGE, "old_segments")
    while gone < MOST:
        with engine.begin() as connection:
            rows = connection.execute(query, {"before": before, "page": PAGE}).all()
            for rustbucket_id in sorted({row.rustbucket_id for row in rows}):
                advisory_lock(connection, f"pull {rustbucket_id}")  # a pull of the same bytes may be about to name them
            for key in {row.object_key for row in rows}:
                archive.delete(key)  # before the commit: a row that still says so is looked at again
            ids = [row.id for row in rows]
            connection.execute(update(segments).where(segments.c.id.in_(ids)).values(expired_at=now))
        gone += len(rows)
        size += sum(row.stored_bytes for row in rows)
        if len(rows) < PAGE:
            break
    return OldRaw(gone, size, 0)
