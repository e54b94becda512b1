"""The analysis' promises, looked at: every finding on rows that are there; what Claude was asked, it answered well."""

from datetime import datetime

from sqlalchemy import Connection

from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.storage.postgres import load_sql

LONGEST_WHY = 300


def findings_cite_rows(connection: Connection, since: datetime) -> Promise:
    """Whether every finding of the newest reports since then names events that exist."""
    row = connection.execute(load_sql("rustbucket_pipeline.analysis", "uncited_findings"), {"since": since}).one()
    numbers = {"findings": row.findings, "uncited": row.uncited}
    if row.uncited:
        return Promise(kept=False, why=f"{row.uncited} findings name rows that aren't there", numbers=numbers)
    return Promise(kept=True, why=f"{row.findings} findings, each on rows that exist", numbers=numbers)


def claude_explained(connection: Connection, since: datetime) -> Promise:
    """Whether every newest report since then that Claude was asked about has all of what it answered."""
    rows = connection.execute(load_sql("rustbucket_pipeline.analysis", "unexplained_reports"), {"since": since}).all()
    odd = [row for row in rows if row.status != "claude"]
    numbers = {"asked": len(rows), "unexplained": len(odd)}
    if odd:
        newest = odd[0]
        why = f"{len(odd)} of {len(rows)} reports, e.g. {newest.window_start:%Y-%m-%d %H:%M} UTC: {newest.outcome}"
        return Promise(kept=False, why=bounded(why, LONGEST_WHY), numbers=numbers)
    return Promise(kept=True, why=f"{len(rows)} reports that Claude was asked about, each explained", numbers=numbers)
