"""A Dagster that a test tells what to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rustbucket_pipeline.upkeep.dagster_seen import Heartbeat, JobSeen, LogLine, RunSeen


@dataclass(frozen=True)
class DagsterTold:
    beats: Sequence[Heartbeat] = ()
    known: Sequence[JobSeen] = ()
    going: Sequence[RunSeen] = ()

    def heartbeats(self) -> Sequence[Heartbeat]:
        return self.beats

    def jobs(self, now: datetime) -> Sequence[JobSeen]:
        return self.known

    def unfinished(self) -> Sequence[RunSeen]:
        return self.going

    def runs(self, since: datetime) -> Sequence[RunSeen]:
        return ()

    def log(self, job: str, most: int) -> Sequence[LogLine]:
        return ()
