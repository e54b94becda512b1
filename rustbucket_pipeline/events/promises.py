"""The events' promises, looked at: bytes accounted for, nothing twice, little that can't be read, no new messages."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection

from rustbucket_pipeline.events.tally import GARBLED_BYTES, GARBLED_SHARE
from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import load_sql

_PACKAGE = "rustbucket_pipeline.events"
_LISTED = 10
_NEVER = datetime.max.replace(tzinfo=UTC)


def bytes_accounted(connection: Connection, since: datetime) -> Promise:
    """Whether archived bytes = events + quarantine + duplicates, per rustbucket and hour, and the rows say the same."""
    row = connection.execute(load_sql(_PACKAGE, "unaccounted_hours"), {"since": since, "until": _NEVER}).one()
    numbers = {"hours": row.hours, "archived_bytes": row.archived_bytes, "wrong": row.wrong}
    if row.wrong:
        return Promise(kept=False, why=f"the sums of {row.wrong} of {row.hours} hours disagree", numbers=numbers)
    return Promise(
        kept=True, why=f"{row.archived_bytes:,} bytes in {row.hours} hours are accounted for", numbers=numbers
    )


def unaccounted_hours(connection: Connection, hours: Collection[Window]) -> set[datetime]:
    """Which of these hours, by their start, have sums that disagree: `bytes_accounted`, for one build."""
    if not hours:
        return set()
    span = {"since": min(hour.start for hour in hours), "until": max(hour.end for hour in hours)}
    row = connection.execute(load_sql(_PACKAGE, "unaccounted_hours"), span).one()
    return set(row.wrong_hours) & {hour.start for hour in hours}


def nothing_twice(connection: Connection, since: datetime) -> Promise:
    """Whether every event stands once, by its id and by its bytes."""
    row = connection.execute(load_sql(_PACKAGE, "repeated_events"), {"since": since}).one()
    numbers = {"events": row.events, "repeated_ids": row.repeated_ids, "repeated_places": row.repeated_places}
    repeated = row.repeated_ids + row.repeated_places
    if repeated:
        return Promise(kept=False, why=f"{repeated} events stand more than once", numbers=numbers)
    return Promise(kept=True, why=f"each of {row.events:,} events stands once", numbers=numbers)


def little_quarantined(connection: Connection, since: datetime) -> Promise:
    """Whether no rustbucket's hour holds unusually many bytes that are no record."""
    limits = {"since": since, "share": GARBLED_SHARE, "bytes": GARBLED_BYTES}
    row = connection.execute(load_sql(_PACKAGE, "garbled_hours"), limits).one()
    numbers = {"hours": row.hours, "quarantined_bytes": row.quarantined_bytes, "garbled_hours": row.garbled}
    if row.garbled:
        why = f"{row.garbled} of {row.hours} hours are garbled, most of all {row.worst}: see the view quarantined"
        return Promise(kept=False, why=why, numbers=numbers)
    why = f"{row.quarantined_bytes:,} bytes in {row.hours} hours are no record"
    return Promise(kept=True, why=why, numbers=numbers)


def messages_known(connection: Connection, since: datetime) -> Promise:
    """Whether every message has a template; those that have none are listed."""
    rows = connection.execute(load_sql(_PACKAGE, "unknown_messages"), {"since": since}).all()
    numbers = {"templates": len(rows), "records": sum(row.records for row in rows)}
    if not rows:
        return Promise(kept=True, why="every message has a template", numbers=numbers)
    listed = "; ".join(f"{row.target}: {row.template} ({row.records:,})" for row in rows[:_LISTED])
    return Promise(kept=False, why=f"{len(rows)} messages are of no known template: {listed}", numbers=numbers)
