"""What an upkeep task told, in Dagster's records: as metadata of its asset's newest event, and read back from there."""

from collections.abc import Mapping

import dagster as dg

from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.upkeep.task import LONGEST_LINE, MOST_LINES, Figure, Task, Told

SUMMARY, LINES, OK = "summary", "lines", "as_it_should_be"

DRY_RUN = "rustbucket/dry-run"
"""Tag of the observation that a dry run is."""


def step_of(task: Task) -> str:
    """The task's step: the job has the task's name, and Dagster wants another for what it runs."""
    return f"{task.name}__task"


def metadata_of(told: Told) -> dict[str, Figure | dg.MetadataValue]:
    """What was told as metadata: plain text and numbers, bounded."""
    lines = [bounded(line, LONGEST_LINE) for line in told.lines[:MOST_LINES]]
    if hidden := len(told.lines) - len(lines):
        lines.append(f"… and {hidden:,} lines more")
    return {
        SUMMARY: dg.MetadataValue.text(bounded(told.summary, LONGEST_LINE)),
        **told.figures,
        LINES: dg.MetadataValue.json(lines),
        OK: told.ok,
    }


def told_by(instance: dg.DagsterInstance, run_id: str) -> Told | None:
    """What the run's task told; None: it failed before."""
    for kind in (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION):
        for record in instance.get_records_for_run(run_id, of_type=kind, limit=1).records:
            event = record.event_log_entry.dagster_event
            if event is not None and event.asset_key is not None:
                found = event.materialization if kind.value == "ASSET_MATERIALIZATION" else None
                observed = found or event.asset_observation_data.asset_observation
                return _told(observed.metadata)
    return None


def _told(metadata: Mapping[str, dg.MetadataValue]) -> Told:
    values = {name: value.value for name, value in metadata.items()}
    lines, figures = values.pop(LINES, None), dict[str, Figure]()
    for name, value in values.items():
        if name not in {SUMMARY, OK} and isinstance(value, int | float | str | bool | None):
            figures[name] = value
    told = tuple(str(line) for line in lines) if isinstance(lines, list) else ()
    return Told(str(values.get(SUMMARY, "")), figures, told, bool(values.get(OK)))
