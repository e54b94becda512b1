"""Events that outlive their run: made runless where they stand, as Dagster writes those that no run reported.

Id, time, tags and metadata stay. An event reported anew would have another id, and be the asset's newest one: staleness
compares ids, freshness looks at the newest.
"""

from collections.abc import Mapping

from dagster import EventLogEntry, EventLogRecord
from dagster._core.events import DagsterEvent  # Dagster exports neither this nor the two below
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID
from dagster._serdes import deserialize_value, serialize_value
from sqlalchemy import Connection, text

RUNLESS = RUNLESS_RUN_ID
"""The run of what no run reported."""

_EVENTS = text("SELECT id, asset_key, event FROM event_logs WHERE id = ANY (:ids) ORDER BY id FOR UPDATE")
_EVENT = text("UPDATE event_logs SET run_id = :run, step_key = NULL, event = :event WHERE id = :id")
_CHECK = text(
    "UPDATE asset_check_executions SET run_id = :run, evaluation_event = :event WHERE evaluation_event_storage_id = :id"
)
_NEWEST = text("SELECT asset_key, last_materialization FROM asset_keys WHERE asset_key = ANY (:keys)")
_ASSET = text(
    "UPDATE asset_keys SET last_materialization = :new WHERE asset_key = :key AND last_materialization = :old"
)


def detach(connection: Connection, ids: list[int]) -> None:
    """Make these events runless, and Dagster's own copies of them."""
    rows = connection.execute(_EVENTS, {"ids": ids}).all()
    if not rows:
        return
    entries = {row.id: _runless(deserialize_value(row.event, EventLogEntry)) for row in rows}
    values = [{"id": number, "run": RUNLESS, "event": serialize_value(entry)} for number, entry in entries.items()]
    connection.execute(_EVENT, values)
    connection.execute(_CHECK, values)
    _correct_newest(connection, entries, sorted({row.asset_key for row in rows if row.asset_key}))


def _correct_newest(connection: Connection, entries: Mapping[int, EventLogEntry], keys: list[str]) -> None:
    """Dagster keeps a copy of each asset's newest materialization beside the asset."""
    for row in connection.execute(_NEWEST, {"keys": keys}).all():
        record = deserialize_value(row.last_materialization) if row.last_materialization else None
        if isinstance(record, EventLogRecord) and record.storage_id in entries:
            new = serialize_value(EventLogRecord(record.storage_id, entries[record.storage_id]))
            connection.execute(_ASSET, {"key": row.asset_key, "old": row.last_materialization, "new": new})


def _runless(entry: EventLogEntry) -> EventLogEntry:
    event = entry.get_dagster_event()
    return EventLogEntry(
        error_info=None,
        level=entry.level,
        user_message=entry.user_message,
        run_id=RUNLESS_RUN_ID,
        timestamp=entry.timestamp,
        job_name=RUNLESS_JOB_NAME,
        dagster_event=DagsterEvent(
            event_type_value=event.event_type_value,
            job_name=RUNLESS_JOB_NAME,
            event_specific_data=event.event_specific_data,
            message=event.message,
        ),
    )
