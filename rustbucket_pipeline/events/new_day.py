"""The first hours of a day, loaded together: rows first, indexes afterwards, which is quicker than hour by hour.

It only saves time. What hours are, `build` says: it finds their rows here and does the rest, or loads them itself.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.alarms import sound_drift
from rustbucket_pipeline.events.build import ASSET
from rustbucket_pipeline.events.canary import without_canary
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.shares import load_shares, remove_all_but, shares_of
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.closed_days import hold_windows, require_open
from rustbucket_pipeline.storage.event_days import attach_event_day, begin_event_day, event_partition
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import segments

WORTH_BYTES = 8 * 1024 * 1024
"""Bytes of log; for fewer it makes no difference."""


def load_new_day(
    engine: Engine,
    archive: Archive,
    hours: Sequence[Window],
    now: datetime,
    collectors: Networks = (),
    worth: int = WORTH_BYTES,
) -> int:
    """Load these hours of one day, in order, if none of it is loaded yet; how many shares were.

    Nothing is loaded, and nothing changed, where it isn't `worth` it or an hour can't be loaded: its build says why.

    Raises:
        WindowClosed: the day is frozen or expired.
    """
    collectors, day = tuple(collectors), hours[0].start.date()
    try:
        with engine.begin() as connection:
            if event_partition(connection, day) is not None or _archived_bytes(connection, hours) < worth:
                return 0
            hold_windows(connection, ASSET, hours)
            require_open(connection, hours)
            table = begin_event_day(connection, day)
            if table is None:
                return 0
            found = {hour: without_canary(shares_of(connection, hour, collectors))[0] for hour in hours}
            shares = [(hour, share) for hour, some in found.items() for share in some]
            for hour in hours:
                remove_all_but(connection, hour, ())
            drifts = [drift for _, drift in load_shares(connection, archive, shares, collectors, table)]
            attach_event_day(connection, day)
            told = iter(drifts)
            for hour, some in found.items():
                sound_drift(connection, hour, {share.rustbucket_id: next(told) for share in some}, now)
            return len(shares)
    except IntegrityError:
        return 0


def _archived_bytes(connection: Connection, hours: Sequence[Window]) -> int:
    size = func.sum(segments.c.byte_end - segments.c.byte_start)
    within = segments.c.window_start >= hours[0].start, segments.c.window_start < hours[-1].end
    return connection.execute(select(size).where(*within)).scalar() or 0
