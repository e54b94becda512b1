"""Starts runs as Dagster does by itself, and can tell whose process is gone, so that run monitoring ends those.

Dagster's own launcher leaves that to the code server that started them: killed together, as by `kill -9` of
`rustbucket up` or a reboot, such runs would count as running for hours, and their windows as being built.
"""

from collections.abc import Mapping
from typing import Self

import dagster as dg
import psutil
from dagster._config.config_schema import UserConfigSchema  # Dagster exports these types nowhere else
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._serdes import ConfigurableClassData

from rustbucket_pipeline.settings import load_settings

CLOCKS_DIFFER = 5.0
"""Seconds by which a process may seem younger than what it noted itself; a recycled number is younger still."""


class Launcher(dg.DefaultRunLauncher):
    """Dagster's own launcher, that also looks whether a run's process still lives.

    `all_here`: every run that isn't known to be elsewhere is on this machine, because its database is.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None, *, all_here: bool = False) -> None:
        """Take note; nothing is started."""
        super().__init__(inst_data)
        self._all_here = all_here

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing to configure: the settings say what is needed."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, object]) -> Self:
        """As the settings have it."""
        return cls(inst_data, all_here=load_settings().database_url is None)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does, on one machine."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process that the run noted still lives; one that can't be known of counts as living."""
        if not self._here(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "it isn't known to be on this machine")
        noted = _noted_processes(self._instance, run.run_id)
        if not noted or any(_lives(pid, at) for pid, at in noted):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {noted[0][0]} is gone")

    def _here(self, run: dg.DagsterRun) -> bool:
        address = run.tags.get(GRPC_INFO_TAG, "")
        return '"socket"' in address or '"localhost"' in address or (self._all_here and not address)


def _noted_processes(instance: dg.DagsterInstance, run_id: str) -> list[tuple[int, float]]:
    """The numbers of the run's processes, and when each was noted (seconds since 1970), newest first.

    There are two when a code server was killed that had started one: Dagster starts the run again, and the first to
    come finds it taken or has it for itself.
    """
    found = list[tuple[int, float]]()
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT, limit=100, ascending=False)
    for record in records.records:
        event = record.event_log_entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event and event.event_specific_data else None
        if isinstance(pid, dg.TextMetadataValue) and (pid.text or "").isdecimal():
            found.append((int(pid.text or "0"), record.event_log_entry.timestamp))
    return found


def _lives(pid: int, noted_at: float) -> bool:
    """Whether it is that process, not a later one of the same number, nor one that only waits to be buried."""
    try:
        process = psutil.Process(pid)
        return process.create_time() <= noted_at + CLOCKS_DIFFER and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
