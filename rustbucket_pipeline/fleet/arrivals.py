"""How rustbuckets that aren't asked are: told by the log bytes that arrive, or should have.

Silence proves nothing: without bytes past their deadline a rustbucket is `silent`, and `unknown` if none ever came. Nor
is it silent while nobody could look: an outage of our own isn't theirs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rustbucket_pipeline.fleet.poll import Observation
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.window import HOUR, window_at
from rustbucket_pipeline.storage.postgres import load_sql

DAY = timedelta(days=1)
HOURLY_GRACE = timedelta(hours=2, minutes=15)
DAILY_GRACE = timedelta(hours=26)
"""How long after its period a file may still come: the uploader's interval, a pause for files still written, a pull."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came of one rustbucket, UTC. `watermark` is its newest trusted event time, `observed_at` the time before.

    `looked_at`: when its source was last looked into, by a pull that ended well.
    """

    rustbucket_id: str
    watermark: datetime | None
    pulled_at: datetime | None
    daily: bool
    observed_at: datetime | None
    looked_at: datetime | None

    @property
    def due(self) -> datetime | None:
        """When the first period of which nothing came must have arrived; None if nothing ever came."""
        if self.watermark is None:
            return None
        period, grace = (DAY, DAILY_GRACE) if self.daily else (HOUR, HOURLY_GRACE)
        return window_at(self.watermark, period).end + period + grace

    def overdue(self, now: datetime) -> bool:
        """Whether logs should have come by now and somebody looked for them since."""
        return self.due is not None and self.due < now and self.looked_at is not None and self.due < self.looked_at

    def observe(self, now: datetime) -> Observation:
        """What that says of the rustbucket at this time."""
        if self.due is None or self.pulled_at is None:
            return Observation(self.rustbucket_id, Outcome.UNKNOWN, "nothing ever came of it")
        if self.observed_at is None or self.pulled_at > self.observed_at:
            return Observation(self.rustbucket_id, Outcome.ARRIVAL, f"logs until {self.watermark:%Y-%m-%d %H:%M} UTC")
        if now <= self.due:
            return Observation(self.rustbucket_id, Outcome.ARRIVAL, f"next logs due by {self.due:%Y-%m-%d %H:%M} UTC")
        if not self.overdue(now):
            due = f"next logs were due by {self.due:%Y-%m-%d %H:%M} UTC, and no pull looked for them since"
            return Observation(self.rustbucket_id, Outcome.UNSEEN, due)
        overdue = f"no logs since {self.watermark:%Y-%m-%d %H:%M}, due by {self.due:%Y-%m-%d %H:%M} UTC"
        return Observation(self.rustbucket_id, Outcome.SILENT, overdue)


def arrivals_of_active(connection: Connection, now: datetime) -> list[Arrivals]:
    """What came of every active rustbucket until now."""
    rows = connection.execute(load_sql("rustbucket_pipeline.fleet", "arrivals"), {"now": now})
    return [Arrivals(row.id, row.watermark, row.pulled_at, row.daily, row.observed_at, row.looked_at) for row in rows]
