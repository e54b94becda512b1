"""What the jobs' logs say of a period: how often each ran, how long that took, what failed. From the files alone.

So it works while the database is down. A run whose process was killed has a beginning and no end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median

from rustbucket_pipeline.control.job_log import Line
from rustbucket_pipeline.control.job_log_reading import lines_since
from rustbucket_pipeline.control.jobs import JOBS


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed, when (UTC), and why: the last error it told of."""

    run: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A job's runs that began in the period. Seconds are of those that ended; `unfinished`: not ended, or killed.

    `warnings` and `errors` are lines.
    """

    job: str
    runs: int
    succeeded: int
    failed: int
    canceled: int
    unfinished: int
    typical_seconds: float | None
    longest_seconds: float | None
    warnings: int
    errors: int
    last_success: datetime | None
    last_failure: Failure | None


@dataclass(slots=True)
class _Tally:
    """What is known so far, while lines are read."""

    began: dict[str, datetime] = field(default_factory=dict[str, datetime])
    told: dict[str, str] = field(default_factory=dict[str, str])
    ended: dict[str, str] = field(default_factory=dict[str, str])
    seconds: list[float] = field(default_factory=list[float])
    levels: dict[str, int] = field(default_factory=dict[str, int])
    last_success: datetime | None = None
    last_failure: Failure | None = None


def summaries(directory: Path, since: datetime) -> list[Summary]:
    """Every job's, in the order of `control/jobs.py`; since then (UTC)."""
    return [summary_of(job.name, lines_since(directory, job.name, since)) for job in JOBS]


def summary_of(job: str, lines: Iterable[Line]) -> Summary:
    """What these lines, oldest first, say of the job."""
    tally = _Tally()
    for line in lines:
        _count(tally, line)
    outcomes = [tally.ended.get(run) for run in tally.began]
    return Summary(
        job=job,
        runs=len(outcomes),
        succeeded=outcomes.count("succeeded"),
        failed=outcomes.count("failed"),
        canceled=outcomes.count("canceled"),
        unfinished=outcomes.count(None),
        typical_seconds=_rounded(median(tally.seconds)) if tally.seconds else None,
        longest_seconds=_rounded(max(tally.seconds)) if tally.seconds else None,
        warnings=tally.levels.get("WARNING", 0),
        errors=tally.levels.get("ERROR", 0) + tally.levels.get("CRITICAL", 0),
        last_success=tally.last_success,
        last_failure=tally.last_failure,
    )


def _count(tally: _Tally, line: Line) -> None:
    tally.levels[line.level] = tally.levels.get(line.level, 0) + 1
    if line.run is None:
        return
    if line.state == "began":
        tally.began[line.run] = line.time
    elif line.state is not None:
        _end(tally, line, line.run, line.state)
    elif line.level in {"ERROR", "CRITICAL"}:
        tally.told[line.run] = line.message


def _end(tally: _Tally, line: Line, run: str, state: str) -> None:
    tally.ended[run] = state
    if run in tally.began:
        tally.seconds.append((line.time - tally.began[run]).total_seconds())
    if state == "succeeded":
        tally.last_success = line.time
    elif state == "failed":
        tally.last_failure = Failure(run, line.time, tally.told.get(run, line.message))


def _rounded(seconds: float) -> float:
    return round(seconds, 1)
