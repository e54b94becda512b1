"""The archive's promises, looked at: nothing missing between segments, no row without its object."""

from datetime import datetime

from sqlalchemy import Connection, select

from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.tables import segments

NEWEST = 500
"""How many of the newest segments' objects are looked up: a request each."""


def chains_unbroken(connection: Connection, since: datetime) -> Promise:
    """Whether the segments of every log pulled since then follow each other without gap, overlap or broken link."""
    query = load_sql("rustbucket_pipeline.archive", "broken_chains")
    row = connection.execute(query, {"since": since}).one()
    numbers = {"segments": row.segments, "gaps": row.gaps, "broken_links": row.broken_links}
    if row.gaps or row.broken_links:
        return Promise(kept=False, why=f"{row.gaps} gaps and {row.broken_links} broken links", numbers=numbers)
    return Promise(kept=True, why=f"{row.segments} segments follow each other byte by byte", numbers=numbers)


def objects_present(connection: Connection, archive: Archive) -> Promise:
    """Whether the newest segments' objects are in the store, with the size the ledger says."""
    rows = connection.execute(
        select(segments.c.object_key, segments.c.stored_bytes).order_by(segments.c.id.desc()).limit(NEWEST)
    ).all()
    missing = [row.object_key for row in rows if archive.size(row.object_key) != row.stored_bytes]
    numbers = {"segments": len(rows), "missing": len(missing)}
    if missing:
        return Promise(kept=False, why=f"{len(missing)} objects missing or cut, e.g. {missing[0]}", numbers=numbers)
    return Promise(kept=True, why=f"the newest {len(rows)} segments have their objects", numbers=numbers)
