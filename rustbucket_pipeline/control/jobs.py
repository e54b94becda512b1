"""Every job, once: what it materializes, when, and for whom. Schedules, sensors, `demo` and `up` read this table.

Those of upkeep follow from their tasks (`upkeep/tasks.py`). Lengths of windows and UTC are constants; only ticks can
be moved (`timetable.py`, DESIGN section 3).
"""

from dataclasses import dataclass
from datetime import timedelta

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR
from rustbucket_pipeline.upkeep.task import Task
from rustbucket_pipeline.upkeep.tasks import TASKS

OWNER = "team:honeypots"


@dataclass(frozen=True, slots=True)
class Job:
    """A job: its assets, the cron of its ticks, the length of its windows (None: the past can't be asked again).

    `pool` is its lane, the one scarce thing it holds; `every` its cadence in words. Its assets are late when nothing
    was built for `late_after`, uploads an hour late and a tick's wait included.
    """

    name: str
    assets: tuple[str, ...]
    cron: str
    window: timedelta | None
    pool: str
    does: str
    every: str
    late_after: timedelta
    owner: str = OWNER


POLL_FLEET = Job(
    name="poll_fleet",
    assets=("fleet_status",),
    cron="*/15 * * * *",
    window=None,
    pool="fleet",
    does="Ask every rustbucket that may be asked how it is; take the others' state from what arrived.",
    every="15 minutes",
    late_after=timedelta(minutes=45),
)
ARCHIVE_LOGS = Job(
    name="archive_logs",
    assets=("log_archives",),
    cron="1,31 * * * *",
    window=HALF_HOUR,
    pool="object_store",
    does="Bring every new log byte of the fleet into the archive, unchanged.",
    every="30 minutes",
    late_after=timedelta(minutes=90),
)
PARSE_LOGS = Job(
    name="parse_logs",
    assets=("parsed_logs",),
    cron="10 * * * *",
    window=HOUR,
    pool="postgres",
    does="Turn archived bytes into typed rows; what can't be parsed is kept and named.",
    every="hour",
    late_after=timedelta(hours=4),
)
ANALYSE_WINDOWS = Job(
    name="analyse_windows",
    assets=("window_digest", "log_analysis"),
    cron="20 2-22/4 * * *",
    window=FOUR_HOURS,
    pool="claude",
    does="Digest four hours of rows and report on them, with Claude's explanation where a key is set.",
    every="4 hours",
    late_after=timedelta(hours=8),
)

SIGN_ARCHIVE = Job(
    name="sign_archive",
    assets=("archive_manifest",),
    cron="40 0 * * *",
    window=None,
    pool="object_store",
    does="Sign the heads of the logs' hash chains, so that nobody can change history unseen.",
    every="day",
    late_after=timedelta(hours=50),
)

PRUNE_HISTORY = Job(
    name="prune_history",
    assets=("dagster_history",),
    cron="25 3 * * *",
    window=None,
    pool="postgres",
    does="Delete Dagster's runs of half a year ago; what it shows of assets stays as it was.",
    every="day",
    late_after=timedelta(hours=50),
)

_CADENCES = {HALF_HOUR: "30 minutes", HOUR: "hour", timedelta(days=1): "day", timedelta(days=7): "week"}


def _cadence(every: timedelta) -> str:
    """How often, in words: `hour`, `6 hours`, `day`."""
    return _CADENCES.get(every) or f"{every // HOUR} hours"


def job_of_task(task: Task) -> Job:
    """The job that runs an upkeep task; of the same name, like its asset."""
    return Job(
        name=task.name,
        assets=(task.name,),
        cron=task.cron,
        window=None,
        pool=task.pool,
        does=task.what,
        every=_cadence(task.every),
        late_after=task.late_after,
    )


UPKEEP = tuple(job_of_task(task) for task in TASKS)

JOBS = (POLL_FLEET, ARCHIVE_LOGS, PARSE_LOGS, ANALYSE_WINDOWS, SIGN_ARCHIVE, PRUNE_HISTORY, *UPKEEP)

CHAIN = (ARCHIVE_LOGS, PARSE_LOGS, ANALYSE_WINDOWS)
"""The jobs with windows, each before those that build on it."""


def job_named(name: str) -> Job:
    """The job of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    for job in JOBS:
        if job.name == name:
            return job
    raise UsageError(f"no job {name!r}; there are {', '.join(job.name for job in JOBS)}")


def job_of(asset: str) -> Job:
    """The job that materializes the asset."""
    return next(job for job in JOBS if asset in job.assets)
