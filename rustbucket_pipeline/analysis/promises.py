"""The analysis' promise, looked at: no finding without rows, and every row it names is there."""

from datetime import datetime

from sqlalchemy import Connection

from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.storage.postgres import load_sql


def findings_cite_rows(connection: Connection, since: datetime) -> Promise:
    """Whether every finding of the newest reports since then names events that exist."""
    row = connection.execute(load_sql("rustbucket_pipeline.analysis", "uncited_findings"), {"since": since}).one()
    numbers = {"findings": row.findings, "uncited": row.uncited}
    if row.uncited:
        return Promise(kept=False, why=f"{row.uncited} findings name rows that aren't there", numbers=numbers)
    return Promise(kept=True, why=f"{row.findings} findings, each on rows that exist", numbers=numbers)
