"""The canary's share of an hour: loaded like any other, noted, and taken out again before anything counts it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.shares import Share, load_shares
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage import tables
from rustbucket_pipeline.storage.canary import CANARY, note_parsed
from rustbucket_pipeline.storage.objects import Archive


def without_canary(shares: Iterable[Share]) -> tuple[list[Share], list[Share]]:
    """The shares that count, and the canary's."""
    found = list(shares)
    counting = [share for share in found if share.rustbucket_id != CANARY]
    return counting, [share for share in found if share.rustbucket_id == CANARY]


def fly(
    connection: Connection, archive: Archive, window: Window, share: Share, collectors: Networks, now: datetime
) -> str:
    """Load the canary's share, note which canaries its rows hold, and remove them: no sum and no session has them.

    Returns the version of the rows, so that what is made of the hour is made anew.

    Raises:
        IntegrityError: an object isn't what its segment says, or the sums disagree.
    """
    ((loaded, _),) = load_shares(connection, archive, [(window, share)], collectors)
    rows, counts, refused = tables.log_events, tables.hour_counts, tables.quarantine
    mine = (rows.c.rustbucket_id == CANARY) & (rows.c.event_ts >= window.start) & (rows.c.event_ts < window.end)
    note_parsed(connection, window, list(connection.scalars(select(rows.c.username).where(mine))), now)
    connection.execute(delete(rows).where(mine))
    connection.execute(delete(refused).where(refused.c.segment_id.in_([segment.id for segment in share.segments])))
    connection.execute(delete(counts).where(counts.c.rustbucket_id == CANARY, counts.c.hour == window.start))
    return loaded.output
