"""The events' promises, looked at: every archived byte is accounted for, and nothing counts twice."""

from datetime import datetime

from sqlalchemy import Connection

from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.storage.postgres import load_sql


def bytes_accounted(connection: Connection, since: datetime) -> Promise:
    """Whether archived bytes = events + quarantine + duplicates for every built hour since then."""
    row = connection.execute(load_sql("rustbucket_pipeline.events", "unaccounted_hours"), {"since": since}).one()
    numbers = {"rustbucket_hours": row.rustbucket_hours, "unaccounted": row.unaccounted}
    if row.unaccounted:
        return Promise(kept=False, why=f"{row.unaccounted} rustbucket-hours don't add up", numbers=numbers)
    return Promise(kept=True, why=f"{row.rustbucket_hours} rustbucket-hours add up to the byte", numbers=numbers)


def nothing_twice(connection: Connection, since: datetime) -> Promise:
    """Whether every event since then stands once."""
    row = connection.execute(load_sql("rustbucket_pipeline.events", "repeated_events"), {"since": since}).one()
    numbers = {"events": int(row.events), "repeated": row.repeated}
    if row.repeated:
        return Promise(kept=False, why=f"{row.repeated} events stand more than once", numbers=numbers)
    return Promise(kept=True, why=f"{row.events} events, each once", numbers=numbers)
