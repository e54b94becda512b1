"""What arrived of every rustbucket and hour, what is missing, and why we say so: the view `rustbucket_hours`, in words.

The states are decided by the view, never here and never stored. Only a waiver is written: an operator's word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.tables import waivers

LONGEST_REASON = 500


class Arrival(StrEnum):
    """What arrived of an hour."""

    PENDING = "pending"
    """It may still come."""
    RECEIVED = "received"
    """Bytes of it are archived."""
    QUIET = "quiet"
    """Nothing happened, proved: by a later record, or by the rustbucket's own answer and log."""
    MISSING = "missing"
    """Past its deadline, without proof that there was nothing."""
    EXPIRED = "expired"
    """The source deleted it before all of it was archived."""
    WAIVED = "waived"
    """It never came, and an operator said that this is all right."""


GAPS = (Arrival.MISSING, Arrival.EXPIRED)
SETTLED = frozenset({Arrival.RECEIVED, Arrival.QUIET, Arrival.WAIVED})
"""What is known and needs nobody; `pending` is neither."""


class Build(StrEnum):
    """Where the rows of an hour stand against what is archived of it."""

    UNBUILT = "unbuilt"
    FRESH = "fresh"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class HourState:
    """One hour (its start, UTC) of one rustbucket. `why` is for people and may hold an operator's own words."""

    rustbucket_id: str
    hour: datetime
    arrival: Arrival
    build: Build
    why: str


def hours_between(
    connection: Connection, start: datetime, end: datetime, now: datetime, rustbuckets: Sequence[str] = ()
) -> list[HourState]:
    """The hours that begin in `[start, end)`, by rustbucket, as things stand at `now`; none named means all of them.

    Hours before a rustbucket's approval and after its retirement have no state.
    """
    connection.execute(select(func.set_config("rustbucket.now", now.isoformat(), True)))
    query = load_sql("rustbucket_pipeline.archive", "hours_between")
    rows = connection.execute(query, {"start": start, "end": end, "rustbuckets": list(rustbuckets)})
    return [
        HourState(row.rustbucket_id, row.hour, Arrival(row.arrival), Build(row.build), _why(row, now)) for row in rows
    ]


def waive(connection: Connection, rustbucket_id: str, hour: datetime, who: str, reason: str, now: datetime) -> None:
    """Note that this hour's absence is all right; said again, the newest word counts.

    Raises:
        UsageError: there is nothing to waive: no such hour, or it arrived, or it is proved quiet.
    """
    window = Window(hour, HOUR)
    found = hours_between(connection, hour, window.end, now, [rustbucket_id])
    if not found:
        raise UsageError(f"{rustbucket_id} wasn't expected to send anything for {window}; nothing to waive")
    if found[0].arrival in {Arrival.RECEIVED, Arrival.QUIET}:
        raise UsageError(f"{rustbucket_id}, {window} is {found[0].arrival} ({found[0].why}); nothing to waive")
    if not reason.strip():
        raise UsageError("a waiver needs a reason; say it with --reason")
    word = {"waived_by": bounded(who, 100), "reason": bounded(reason.strip(), LONGEST_REASON), "waived_at": now}
    statement = insert(waivers).values(rustbucket_id=rustbucket_id, hour=hour, **word)
    connection.execute(statement.on_conflict_do_update(index_elements=["rustbucket_id", "hour"], set_=word))


def _why(row: Row[tuple[object, ...]], now: datetime) -> str:
    match Arrival(row.arrival):
        case Arrival.RECEIVED:
            return f"{row.bytes:,} bytes archived"
        case Arrival.QUIET:
            return _proof(row)
        case Arrival.WAIVED:
            return f"waived by {row.waived_by}: {row.waive_reason}"
        case Arrival.EXPIRED:
            return f"a file of it was gone from the source on {_minute(row.expired_at)}, before all of it was archived"
        case Arrival.MISSING:
            return f"was due by {_minute(row.due)}; {_heard(row)}"
        case Arrival.PENDING:
            return f"may come until {_minute(row.due)}" if row.hour + HOUR <= now else "the hour isn't over"


def _proof(row: Row[tuple[object, ...]]) -> str:
    if row.watermark is not None and row.watermark >= row.hour + HOUR:
        return f"nothing in it, and later records are archived (until {_minute(row.watermark)})"
    return f"nothing in it, and the rustbucket answered and handed over its log later ({_minute(row.answered_at)})"


def _heard(row: Row[tuple[object, ...]]) -> str:
    return f"last record {_minute(row.watermark)}" if row.watermark else "nothing ever came"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
