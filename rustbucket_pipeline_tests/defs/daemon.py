"""Dagster's daemon at a chosen time: evaluates ticks of the schedules and the heal sensor as it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg

from rustbucket_pipeline.control.jobs import Job

Requests = Sequence[dg.RunRequest]


@dataclass
class Daemon:
    """Evaluates ticks at the time it is told, and remembers the sensor's cursor."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    now: datetime
    cursor: str | None = None

    def tick(self, job: Job) -> Any:
        context = dg.build_schedule_context(
            instance=self.instance,
            scheduled_execution_time=self.now,
            repository_def=self.definitions.get_repository_def(),
            resources=self.resources,
        )
        with context:
            return self.definitions.resolve_schedule_def(job.name).evaluate_tick(context)

    def asks(self, job: Job) -> Requests:
        return self.tick(job).run_requests or []

    def heal(self) -> Any:
        context = dg.build_sensor_context(
            instance=self.instance,
            repository_def=self.definitions.get_repository_def(),
            resources=self.resources,
            cursor=self.cursor,
        )
        with context:
            done = self.definitions.resolve_sensor_def("heal").evaluate_tick(context)
        self.cursor = done.cursor
        for event in done.asset_events:
            self.instance.report_runless_asset_event(event)
        return done

    def heals(self, job: Job) -> Requests:
        return [request for request in self.heal().run_requests or [] if request.job_name == job.name]

    @property
    def resources(self) -> dict[str, object]:
        return {**(self.definitions.resources or {}), "clock": lambda: self.now}
