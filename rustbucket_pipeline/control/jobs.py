"""Every job, once: what it materializes, when, and for whom. Schedules, sensors, `demo` and `up` read this table.

Lengths of windows and UTC are constants; only ticks could ever be moved (DESIGN section 3).
"""

from dataclasses import dataclass
from datetime import timedelta

from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR

OWNER = "team:honeypots"


@dataclass(frozen=True, slots=True)
class Job:
    """A job: its assets, its cron in UTC, the length of its windows (None: the past can't be asked again).

    `pool` is the one scarce thing it holds; `grace` how long after its end a window is left to its schedule;
    `every` is its cadence in words.
    """

    name: str
    assets: tuple[str, ...]
    cron: str
    window: timedelta | None
    pool: str
    grace: timedelta
    does: str
    every: str


POLL_FLEET = Job(
    name="poll_fleet",
    assets=("fleet_status",),
    cron="*/15 * * * *",
    window=None,
    pool="fleet",
    grace=timedelta(0),
    does="Ask every rustbucket that may be asked how it is; take the others' state from what arrived.",
    every="15 minutes",
)
ARCHIVE_LOGS = Job(
    name="archive_logs",
    assets=("log_archives",),
    cron="1,31 * * * *",
    window=HALF_HOUR,
    pool="object_store",
    grace=timedelta(minutes=10),
    does="Bring every new log byte of the fleet into the archive, unchanged.",
    every="30 minutes",
)
PARSE_LOGS = Job(
    name="parse_logs",
    assets=("parsed_logs",),
    cron="10 * * * *",
    window=HOUR,
    pool="postgres",
    grace=timedelta(minutes=20),
    does="Turn archived bytes into typed rows; what can't be parsed is kept and named.",
    every="hour",
)
ANALYSE_WINDOWS = Job(
    name="analyse_windows",
    assets=("window_digest", "log_analysis"),
    cron="20 2-22/4 * * *",
    window=FOUR_HOURS,
    pool="claude",
    grace=timedelta(hours=2, minutes=15),
    does="Digest four hours of rows and report on them, with Claude's explanation where a key is set.",
    every="4 hours",
)

SIGN_ARCHIVE = Job(
    name="sign_archive",
    assets=("archive_manifest",),
    cron="40 0 * * *",
    window=None,
    pool="object_store",
    grace=timedelta(0),
    does="Sign the heads of the logs' hash chains, so that nobody can change history unseen.",
    every="day",
)

JOBS = (POLL_FLEET, ARCHIVE_LOGS, PARSE_LOGS, ANALYSE_WINDOWS, SIGN_ARCHIVE)
