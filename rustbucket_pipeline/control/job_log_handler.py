"""Dagster's log records, into the log file of their job: `dagster.yaml` names this handler for every run.

What steps log, and of Dagster's own events those that say how a run goes. What they print: `printed.py`.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

import dagster as dg
from dagster._core.log_manager import get_log_record_metadata, has_log_record_metadata  # exported nowhere else

from rustbucket_pipeline.control.job_log import JobLog, Line
from rustbucket_pipeline.control.jobs import JOBS, Job
from rustbucket_pipeline.control.runs import PARTITION, RANGE_END, RANGE_START, reason_of
from rustbucket_pipeline.settings import load_settings

_STEP_BREAK = "__"
"""Between the assets in the name of a step that makes several."""


class JobLogHandler(logging.Handler):
    """Writes a run's records. What is of no job of ours is left out, and what can't be written never fails a run."""

    def __init__(self) -> None:
        """Nothing is opened before the first record."""
        super().__init__(logging.NOTSET)
        self._log: JobLog | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, if it says something to people."""
        try:
            line = self._line(record)
            if line is not None:
                self._log = self._log or JobLog.of(load_settings())
                self._log.write(line)
        except Exception:  # noqa: BLE001 (as logging's own handlers do: logging never stops what it tells of)
            self.handleError(record)

    def _line(self, record: logging.LogRecord) -> Line | None:
        if not has_log_record_metadata(record):
            return None
        meta = get_log_record_metadata(record)
        job = job_of_step(meta["job_name"], meta["step_key"])
        event = meta["dagster_event"]
        level, message = _told(event) if event else (record.levelno, _written(record, meta["orig_message"]))
        if job is None or message is None or level < logging.INFO:
            return None
        tags = meta["job_tags"]
        return Line(
            time=datetime.fromtimestamp(record.created, UTC),
            level=logging.getLevelName(level),
            job=job.name,
            run=meta["run_id"],
            first_window=tags.get(RANGE_START) or tags.get(PARTITION),
            last_window=tags.get(RANGE_END) or tags.get(PARTITION),
            step=meta["step_key"],
            state=_STATES.get(event.event_type) if event else None,
            message=message,
        )


def job_of_step(job_name: str | None, step: str | None) -> Job | None:
    """The job of that name, or of the step where the run has another: then assets were named, and no job."""
    named = next((job for job in JOBS if job.name == job_name), None)
    if named is not None or step is None:
        return named
    assets = set(step.split(_STEP_BREAK))
    return next((job for job in JOBS if assets & set(job.assets)), None)


def _built(event: dg.DagsterEvent) -> str:
    made = event.materialization
    rows = made.metadata.get("dagster/row_count")
    counted = f", {rows.value} rows" if isinstance(rows, dg.IntMetadataValue) else ""
    window = f" {made.partition}" if made.partition else ""
    return f"{made.asset_key.to_user_string()}{window}: built{counted}"


def _failed_check(event: dg.DagsterEvent) -> str | None:
    check = event.asset_check_evaluation_data
    return None if check.passed else f"check {check.check_name} failed: {check.description or 'no reason given'}"


def _written(record: logging.LogRecord, message: str) -> str:
    """What a step logged, with the traceback where it logged one."""
    if not record.exc_info:
        return message
    return f"{message}\n{logging.Formatter().formatException(record.exc_info)}"


_Teller = Callable[[dg.DagsterEvent], str | None]

_TELLERS: Mapping[dg.DagsterEventType, tuple[int, _Teller]] = {
    dg.DagsterEventType.RUN_START: (logging.INFO, lambda _: "run began"),
    dg.DagsterEventType.RUN_SUCCESS: (logging.INFO, lambda _: "run succeeded"),
    dg.DagsterEventType.RUN_FAILURE: (logging.ERROR, lambda event: event.message),
    dg.DagsterEventType.RUN_CANCELED: (logging.ERROR, lambda event: event.message),
    dg.DagsterEventType.STEP_FAILURE: (logging.ERROR, reason_of),
    dg.DagsterEventType.STEP_UP_FOR_RETRY: (logging.WARNING, lambda event: event.message),
    dg.DagsterEventType.ASSET_MATERIALIZATION: (logging.INFO, _built),
    dg.DagsterEventType.ASSET_CHECK_EVALUATION: (logging.WARNING, _failed_check),
}
"""How grave the events are that say how a run goes, and what each comes to in words."""

_STATES: Mapping[dg.DagsterEventType, Literal["began", "succeeded", "failed", "canceled"]] = {
    dg.DagsterEventType.RUN_START: "began",
    dg.DagsterEventType.RUN_SUCCESS: "succeeded",
    dg.DagsterEventType.RUN_FAILURE: "failed",
    dg.DagsterEventType.RUN_CANCELED: "canceled",
}


def _told(event: dg.DagsterEvent) -> tuple[int, str | None]:
    """How grave an event is, and what it comes to; None for those that only Dagster needs."""
    level, teller = _TELLERS.get(event.event_type, (logging.DEBUG, None))
    return level, teller(event) if teller else None
