"""The fleet's promise, looked at: no active rustbucket goes unobserved."""

from datetime import datetime

from sqlalchemy import Connection

from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.storage.postgres import load_sql


def everybody_observed(connection: Connection, since: datetime) -> Promise:
    """Whether each active rustbucket has a status row since then, whatever it says."""
    row = connection.execute(load_sql("rustbucket_pipeline.fleet", "unobserved"), {"since": since}).one()
    numbers = {"active": row.active, "unobserved": row.unobserved}
    if row.unobserved:
        return Promise(kept=False, why=f"{row.unobserved} of {row.active} weren't observed", numbers=numbers)
    return Promise(kept=True, why=f"all {row.active} active rustbuckets were observed", numbers=numbers)
