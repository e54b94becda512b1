"""Health of the whole chain: whether the last canaries came from their source to the report in time, else how far."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.archive.cat import source_bytes
from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.model.window import FOUR_HOURS, HOUR, window_at
from rustbucket_pipeline.storage.canary import CANARY, NAME, canaries
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

ARCHIVED = timedelta(hours=1, minutes=5)
PARSED = timedelta(hours=2, minutes=15)
DIGESTED = timedelta(hours=4, minutes=15)
"""By when a canary must be there: after it entered; digest and report after its window ended, with its grace."""

LOOK_BACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Flight:
    """A canary: when it entered (UTC), and which stages it passed."""

    nonce: str
    hour: datetime
    entered_at: datetime
    parsed_at: datetime | None
    digested_at: datetime | None
    reported_at: datetime | None

    def stopped(self, connection: Connection, archive: Archive, now: datetime) -> str:
        """Where it stopped although it should have gone on; empty: it is under way, or has arrived."""
        window_end = max(window_at(self.hour, FOUR_HOURS).end, self.entered_at)
        if self.parsed_at is None and self.entered_at + ARCHIVED < now and not self._archived(connection, archive):
            return "it never came from its source into the archive"
        if self.parsed_at is None and self.entered_at + PARSED < now:
            return "it is in the archive, and no row was made of it"
        if self.digested_at is None and window_end + DIGESTED < now:
            return "its row was made, and the digest of its window isn't made of it"
        if self.reported_at is None and window_end + DIGESTED < now:
            return "it is in the digest of its window, and in no report"
        return ""

    def _archived(self, connection: Connection, archive: Archive) -> bool:
        """Whether its bytes can be read back from the archive."""
        try:
            held = source_bytes(connection, archive, CANARY, self.hour, self.hour + HOUR)
            return any(NAME.format(nonce=self.nonce).encode() in block for block in held)
        except RustbucketError:
            return False


def look_at_canary(bench: Bench) -> Iterator[Finding]:
    """The newest canary that has arrived, or that should have by now."""
    columns = [canaries.c[name] for name in Flight.__slots__]
    newest = select(*columns).where(canaries.c.entered_at > bench.now - LOOK_BACK)
    with bench.engine.connect() as connection:
        flights = [Flight(*row) for row in connection.execute(newest.order_by(canaries.c.entered_at.desc()))]
        for one in flights:
            if one.reported_at is not None:
                took = (one.reported_at - one.entered_at).total_seconds()
                why = f"the one of {one.entered_at:%Y-%m-%d %H:%M} UTC came as far as the report"
                yield Finding("canary", "canary", Health.OK, why, figures={"canary_seconds": took})
                return
            if stopped := one.stopped(connection, bench.archive, bench.now):
                why = f"the one of {one.entered_at:%Y-%m-%d %H:%M} UTC stopped: {stopped}"
                do = "`rustbucket plan` and `rustbucket jobs list` say what waits"
                yield Finding("canary", "canary", Health.ERROR, why, do, Kind.CANARY_LOST)
                return
    yield Finding("canary", "canary", Health.OK, f"{len(flights)} are under way" if flights else "none entered lately")
