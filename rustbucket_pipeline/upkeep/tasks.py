"""The list of upkeep tasks. A new one is a file beside this one and a line here; everything else follows from it."""

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.upkeep.backup import DATABASE_BACKUP
from rustbucket_pipeline.upkeep.canary import CANARY_TASK
from rustbucket_pipeline.upkeep.dashboard.task import DASHBOARD
from rustbucket_pipeline.upkeep.health_report import HEALTH_REPORT
from rustbucket_pipeline.upkeep.housekeeping import HOUSEKEEPING, WEEKLY_CLEANUP
from rustbucket_pipeline.upkeep.integrations import INTEGRATIONS_CHECK
from rustbucket_pipeline.upkeep.statistics import STATISTICS
from rustbucket_pipeline.upkeep.task import Task
from rustbucket_pipeline.upkeep.verification import BACKUP_VERIFICATION

TASKS: tuple[Task, ...] = (
    HEALTH_REPORT,
    STATISTICS,
    DASHBOARD,
    DATABASE_BACKUP,
    BACKUP_VERIFICATION,
    HOUSEKEEPING,
    WEEKLY_CLEANUP,
    INTEGRATIONS_CHECK,
    CANARY_TASK,
)


def task_named(name: str) -> Task:
    """The task of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    for task in TASKS:
        if task.name == name:
            return task
    raise UsageError(f"no task {name!r}; there are {', '.join(task.name for task in TASKS)}")
