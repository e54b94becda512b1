"""The events' promises, looked at: every archived byte accounted for, nothing counted twice."""

from datetime import datetime

from sqlalchemy import Connection

from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.storage.postgres import load_sql

_PACKAGE = "rustbucket_pipeline.events"


def bytes_accounted(connection: Connection, since: datetime) -> Promise:
    """Whether archived bytes = events + quarantine + duplicates, per rustbucket and hour, and the rows say the same."""
    row = connection.execute(load_sql(_PACKAGE, "unaccounted_hours"), {"since": since}).one()
    numbers = {"hours": row.hours, "archived_bytes": row.archived_bytes, "wrong": row.wrong}
    if row.wrong:
        return Promise(kept=False, why=f"the sums of {row.wrong} of {row.hours} hours disagree", numbers=numbers)
    return Promise(
        kept=True, why=f"{row.archived_bytes:,} bytes in {row.hours} hours are accounted for", numbers=numbers
    )


def nothing_twice(connection: Connection, since: datetime) -> Promise:
    """Whether every event stands once, by its id and by its bytes."""
    row = connection.execute(load_sql(_PACKAGE, "repeated_events"), {"since": since}).one()
    numbers = {"events": row.events, "repeated_ids": row.repeated_ids, "repeated_places": row.repeated_places}
    repeated = row.repeated_ids + row.repeated_places
    if repeated:
        return Promise(kept=False, why=f"{repeated} events stand more than once", numbers=numbers)
    return Promise(kept=True, why=f"each of {row.events:,} events stands once", numbers=numbers)
