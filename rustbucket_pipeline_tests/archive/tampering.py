"""What somebody does to history who has all rights in the database and the store, but not the home."""

from hashlib import sha256

import zstandard
from sqlalchemy import Connection, Row, select, update

from rustbucket_pipeline.archive.ledger import chain_hash
from rustbucket_pipeline.archive.names import segment_key
from rustbucket_pipeline.storage.tables import segments
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, FleetOnDisk


def rows_of(connection: Connection, rustbucket_id: str = BKT) -> list[Row[tuple[object, ...]]]:
    """The rustbucket's segments, log by log."""
    query = select(segments).where(segments.c.rustbucket_id == rustbucket_id)
    return list(connection.execute(query.order_by(segments.c.log_id, segments.c.byte_start)))


def rewrite_history(fleet: FleetOnDisk) -> str:
    """Forge the first segment: other bytes, their object, and every later link of its log; which log it was."""
    with fleet.engine.begin() as connection:
        log_id = rows_of(connection)[0].log_id
        chain = ""
        for row in [row for row in rows_of(connection) if row.log_id == log_id]:
            values = {"sha256": row.sha256} if chain else _forged(fleet, row)
            link = chain_hash(chain, row.byte_start, row.byte_end, values["sha256"])
            values |= {"previous_sha256": chain, "chain_sha256": link}
            connection.execute(update(segments).where(segments.c.id == row.id).values(values))
            chain = link
    return f"log {log_id}"


def _forged(fleet: FleetOnDisk, row: Row[tuple[object, ...]]) -> dict[str, str]:
    data = zstandard.decompress(fleet.archive.get(row.object_key)).replace(b"New", b"Old")
    content = sha256(data).hexdigest()
    key = segment_key(row.rustbucket_id, row.window_start, content)
    fleet.archive.put_new(key, zstandard.compress(data))
    fleet.archive.delete(row.object_key)
    return {"sha256": content, "object_key": key}
