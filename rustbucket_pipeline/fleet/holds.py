"""Legal holds: while a rustbucket is held, nothing of it is deleted. Who said so, why and when is kept for good."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.storage.retention_tables import holds

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a rustbucket, and its end if it has one (UTC)."""

    rustbucket_id: str
    held_at: datetime
    held_by: str
    reason: str
    released_at: datetime | None
    released_by: str | None


def hold(connection: Connection, ids: list[str], by: str, reason: str, now: datetime) -> list[Hold]:
    """Hold them, all or none.

    Raises:
        UsageError: one isn't registered, or is held already; or no reason is given.
    """
    if not reason.strip():
        raise UsageError("a hold has a reason; write it with --reason")
    known = {one.rustbucket_id for one in every_hold(connection) if one.released_at is None}
    for rustbucket_id in ids:
        registry.get(connection, rustbucket_id)
        if rustbucket_id in known:
            raise UsageError(f"{rustbucket_id} is held already; `rustbucket fleet holds` says by whom")
    values = {"held_at": now, "held_by": by, "reason": bounded(reason, LONGEST_REASON)}
    connection.execute(insert(holds), [{"rustbucket_id": one, **values} for one in ids])
    return [one for one in every_hold(connection) if one.rustbucket_id in ids and one.released_at is None]


def release(connection: Connection, ids: list[str], by: str, now: datetime) -> list[Hold]:
    """End their holds, all or none: the next housekeeping treats them as any other.

    Raises:
        UsageError: one isn't held.
    """
    for rustbucket_id in ids:
        mine = (holds.c.rustbucket_id == rustbucket_id) & holds.c.released_at.is_(None)
        ended = connection.execute(update(holds).where(mine).values(released_at=now, released_by=by))
        if not ended.rowcount:
            raise UsageError(f"{rustbucket_id[:80]!r} isn't held; `rustbucket fleet holds` lists those that are")
    return [one for one in every_hold(connection) if one.rustbucket_id in ids and one.released_at == now]


def every_hold(connection: Connection) -> list[Hold]:
    """Every hold there ever was, newest first."""
    query = select(*(holds.c[name] for name in Hold.__slots__)).order_by(holds.c.id.desc())
    return [Hold(*row) for row in connection.execute(query)]
