"""When a job last succeeded: "everything since I last ran", by Dagster's own records and what people said of them.

Of a job without windows a person can say that it is done, or that it never was: an observation of its asset, which
Dagster keeps and shows. Windows are marked in our own tables instead (`marks.py`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import dagster as dg

from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.control.ran import Ran, runs_of

WORD = "rustbucket/word"
"""Tag of the observations by which people speak; its value is a `Word`."""

_LOOKED_THROUGH = 50


class Word(StrEnum):
    """What a person said of a job or a window."""

    MARKED = "marked"
    """It is done: it counts as a success now."""
    RESET = "reset"
    """What was before doesn't count any more."""


@dataclass(frozen=True, slots=True)
class Said:
    """The last word on a job, and when it was said (UTC)."""

    word: Word
    at: datetime


def last_success(instance: dg.DagsterInstance, job: Job) -> datetime | None:
    """When the job's last successful run began, or it was marked as done since (UTC); None: never, as far as is known.

    What came in while that run ran is after this moment: nothing is missed. Forced runs don't count.
    """
    said = said_of(instance, job)
    run = last_counted(instance, job)
    moments = [run.started or run.created] if run else []
    if said and said.word is Word.RESET:
        moments = [moment for moment in moments if moment > said.at]
    elif said:
        moments.append(said.at)
    return max(moments, default=None)


def last_counted(instance: dg.DagsterInstance, job: Job) -> Ran | None:
    """The job's last successful run that wasn't forced."""
    return next((run for run in runs_of(instance, job, [dg.DagsterRunStatus.SUCCESS]) if not run.forced), None)


def said_of(instance: dg.DagsterInstance, job: Job) -> Said | None:
    """The last word on a job without windows; None: nobody said anything, or the job has windows."""
    if job.window is not None:
        return None
    key = dg.AssetKey(job.assets[0])
    for record in instance.fetch_observations(key, limit=_LOOKED_THROUGH).records:
        event = record.asset_observation
        if event is not None and WORD in event.tags:
            return Said(Word(event.tags[WORD]), datetime.fromtimestamp(record.timestamp, UTC))
    return None


def say_of(instance: dg.DagsterInstance, asset: str, word: Word, facts: dict[str, str], key: str | None = None) -> None:
    """Put a person's word on record: an observation of the asset, or of one of its windows, with these facts."""
    event = dg.AssetObservation(asset, partition=key, metadata=facts, tags={WORD: word.value})
    instance.report_runless_asset_event(event)
