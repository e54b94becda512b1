"""A system with a fleet that uploads to S3, run by `rustbucket up`; and what is known of its windows, at any time.

What is due is told by the simulation's truth and the clock. Builds are counted by a trigger in the system's database.
"""

import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, CHAIN, PARSE_LOGS, Job
from rustbucket_pipeline.control.plan import SETTLED
from rustbucket_pipeline.control.states import stale_windows
from rustbucket_pipeline.control.timetable import load_timetable
from rustbucket_pipeline.demo.acts import moment_of
from rustbucket_pipeline.demo.compare import Check, compare
from rustbucket_pipeline.demo.load import load_truth
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window, window_at, windows_between
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline_tests.e2e.checkout import Checkout, free_port, wait_for
from rustbucket_pipeline_tests.e2e.running import Running
from rustbucket_pipeline_tests.e2e.s3_fleet import DAY, UploadingFleet

PARSE_SETTLED = timedelta(minutes=13)
"""After an hour: its tick is past, and what that should have built is overdue."""

COUNT_BUILDS = """
CREATE SCHEMA IF NOT EXISTS seen;
CREATE TABLE seen.builds (
    asset text, window_start timestamptz, inputs_version text, run_id text, at timestamptz DEFAULT clock_timestamp()
);
CREATE FUNCTION seen.build() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO seen.builds VALUES (NEW.asset, NEW.window_start, NEW.inputs_version, NEW.run_id); RETURN NEW; END $$;
CREATE TRIGGER seen AFTER INSERT OR UPDATE ON window_builds FOR EACH ROW EXECUTE FUNCTION seen.build()
"""
FAIL_HOUR = """
CREATE SCHEMA IF NOT EXISTS seen;
CREATE OR REPLACE FUNCTION seen.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NEW.hour = ANY (TG_ARGV::timestamptz[]) THEN RAISE 'this hour fails'; END IF; RETURN NEW; END $$;
CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON hour_counts FOR EACH ROW EXECUTE FUNCTION seen.fail('HOUR')
"""
MEND_HOUR = "DROP TRIGGER fail ON hour_counts"
DIGESTED = """
SELECT window_start, (digest -> 'totals' ->> 'events')::bigint AS told,
       (SELECT count(*) FROM log_events
        WHERE event_ts >= window_start AND event_ts < window_start + interval '4 hours') AS there
FROM window_digests
"""
HOURS_BUILT = "played hours that have rows"


@dataclass
class Field:
    """The fleet, the checkout that looks after it, and the moment until which all has been uploaded in the end."""

    checkout: Checkout
    fleet: UploadingFleet
    settings: Settings
    engine: Engine
    until: datetime
    failing: set[Window] = field(default_factory=set[Window])

    @property
    def since(self) -> datetime:
        """Start of the first window."""
        return self.settings.first_window(self.until)

    @contextmanager
    def up(self) -> Generator[Running]:
        """The system, running."""
        port = free_port()
        process = self.checkout.start("rustbucket_pipeline.cli", "up", "--port", str(port))
        try:
            wait_for(port, process, self.checkout.output)
            yield Running(port, process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(90)

    def sql(self, statements: str) -> None:
        """Run statements of the test's own in the system's database."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statements)

    def fail(self, hour: Window) -> None:
        """Have every attempt to build that hour's rows fail."""
        self.sql(FAIL_HOUR.replace("HOUR", hour.start.isoformat()))
        self.failing.add(hour)

    def mend(self) -> None:
        """Let that hour be built again."""
        self.sql(MEND_HOUR)
        self.failing.clear()

    def built(self) -> dict[str, set[Window]]:
        """By asset, the windows that are built now."""
        found: dict[str, set[Window]] = {asset: set() for job in CHAIN for asset in job.assets}
        with self.engine.connect() as connection:
            for row in connection.execute(text("SELECT asset, window_start FROM window_builds")):
                found[row.asset].add(window_at(row.window_start, _length_of(row.asset)))
        return found

    def due(self, landed: datetime, now: datetime) -> dict[str, set[Window]]:
        """By asset, every window whose own tick is past and that something has landed of; half hours in any case.

        What fails is left out, and so is what is made of it.
        """
        records = self.fleet.truth(self.since, landed).records
        hours = {window_at(moment_of(record.event_at), HOUR) for record in records}
        told = {job.name: timing.tick for job, timing in zip(CHAIN, self._timings(), strict=True)}

        def over(job: Job, window: Window) -> bool:
            return self.since <= window.start and told[job.name](window.end) + SETTLED <= now

        halves = windows_between(self.since, now, HALF_HOUR)
        spans = {window_at(hour.start, ANALYSE_WINDOWS.window or HOUR) for hour in hours}
        spans -= {window_at(hour.start, ANALYSE_WINDOWS.window or HOUR) for hour in self.failing}
        whole = {span for span in spans if over(ANALYSE_WINDOWS, span)}
        return {
            "log_archives": {half for half in halves if over(ARCHIVE_LOGS, half)},
            "parsed_logs": {hour for hour in hours - self.failing if over(PARSE_LOGS, hour)},
            "window_digest": whole,
            "log_analysis": whole,
        }

    def open(self, landed: datetime, now: datetime) -> dict[str, list[str]]:
        """What is due and not built from what is there now; nothing of it once everything is healed."""
        due, built = self.due(landed, now), self.built()
        with self.engine.connect() as connection:
            stale = {asset: {one.window for one in stale_windows(connection, asset, self.since, now)} for asset in due}
        left = {asset: windows - built[asset] | windows & stale[asset] for asset, windows in due.items()}
        return {asset: sorted(map(str, windows)) for asset, windows in left.items() if windows}

    def built_twice(self, ignoring: Iterable[str] = ()) -> list[tuple[object, ...]]:
        """Windows of rows, digests and reports that were built from the same inputs more than once."""
        query = text(
            "SELECT asset, window_start, count(*) FROM seen.builds WHERE asset <> 'log_archives' "
            "AND NOT run_id = ANY(:ignoring) GROUP BY asset, window_start, inputs_version HAVING count(*) > 1"
        )
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query, {"ignoring": list(ignoring)})]

    def untrue(self, landed: datetime) -> list[Check]:
        """Where tables and archive disagree with what truly happened; the failing hour is one that isn't built."""
        archive = open_archive(self.settings)
        with self.engine.begin() as connection:
            load_truth(connection, self.fleet.truth(landed - DAY + HOUR, landed))
            checks = compare(connection, archive)
        return [
            check for check in checks if check.found + len(self.failing) * (check.name == HOURS_BUILT) != check.expected
        ]

    def digested(self) -> dict[datetime, tuple[int, int]]:
        """By window, the events its digest counts, and the rows there are of it."""
        with self.engine.connect() as connection:
            return {row.window_start: (row.told, row.there) for row in connection.execute(text(DIGESTED))}

    def _timings(self) -> list[Any]:
        timetable = load_timetable(self.settings)
        return [timetable[job.name] for job in CHAIN]


def until_settled(now: datetime) -> datetime:
    """The newest hour whose rows are overdue if they aren't built."""
    return window_at(now - PARSE_SETTLED, HOUR).start


def _length_of(asset: str) -> timedelta:
    return next(job.window for job in CHAIN if asset in job.assets) or HOUR
