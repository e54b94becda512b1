"""What a source's last listing held that isn't a log file's key: the table `odd_keys`, and its alert."""

from datetime import datetime

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.alerts.book import clear, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.archive.sources.base import Listing
from rustbucket_pipeline.storage.tables import odd_keys


def note_odd_keys(connection: Connection, rustbucket_id: str, listing: Listing, now: datetime) -> None:
    """Replace the rustbucket's odd keys by those of this complete listing; alert if they are no accident."""
    rows = [
        {"rustbucket_id": rustbucket_id, "key": key, "reason": reason, "first_seen_at": now, "last_seen_at": now}
        for key, reason in listing.odd.items()
    ]
    if rows:
        statement = insert(odd_keys)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[odd_keys.c.rustbucket_id, odd_keys.c.key],
                set_={"reason": statement.excluded.reason, "last_seen_at": now},
            ),
            rows,
        )
    connection.execute(delete(odd_keys).where(odd_keys.c.rustbucket_id == rustbucket_id, odd_keys.c.last_seen_at < now))
    if listing.suspicious:
        cause = f"{listing.suspicious} keys that no uploader makes, see odd_keys; who else can write there?"
        raise_(connection, Kind.ODD_FILES, rustbucket_id, cause, Kind.ODD_FILES.severity, now)
    else:
        clear(connection, Kind.ODD_FILES, rustbucket_id, now, "gone from the source")
