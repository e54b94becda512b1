"""`rustbucket jobs list` and `show`: the board of all jobs, and one job's history, for people and as JSON.

The JSON's names are described in docs/jobs.md and stay: programs read them.
"""

from datetime import UTC, datetime

from rich.text import Text

from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import print_json, print_table, say
from rustbucket_pipeline.control import board
from rustbucket_pipeline.control.board import Detail, Entry
from rustbucket_pipeline.control.instance import dagster_instance
from rustbucket_pipeline.control.jobs import job_named
from rustbucket_pipeline.control.ran import Ran

COLUMNS = ("job", "schedule", "", "last run", "last success", "next run", "running since", "missed", "last error")
RUN_COLUMNS = ("run", "began", "took", "status", "asked by", "windows", "rows", "error")

_COLOURS = {"SUCCESS": "green", "FAILURE": "red", "CANCELED": "yellow", "CANCELING": "yellow"}
_SHORT = 60
_MINUTE, _DAY = "%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"


def show_board(*, as_json: bool) -> None:
    """Every job, on one screen."""
    with opened() as (engine, settings), dagster_instance() as instance:
        entries = board.board(engine, instance, settings, datetime.now(UTC))
    if as_json:
        print_json([_document(entry) for entry in entries])
        return
    if any(entry.timing.testing for entry in entries):
        say(
            "TEST MODE: every job ticks each 5 minutes (RUSTBUCKET_TEST_MODE); the windows are the same",
            style="bold red",
        )
    print_table(COLUMNS, [_line(entry) for entry in entries])


def show_job(name: str, limit: int, *, as_json: bool) -> None:
    """One job: how it stands, and its last runs."""
    job = job_named(name)
    with opened() as (engine, settings), dagster_instance() as instance:
        entry = board.entry(engine, instance, settings, job, datetime.now(UTC))
        runs = list(board.details(instance, job, limit))
    if as_json:
        print_json({**_document(entry), "runs": [_detail_document(one) for one in runs]})
        return
    say(f"{name}: {job.does}")
    say(f"assets {', '.join(job.assets)}; {_schedule(entry)}, {'on' if entry.on else 'off'}; owner {job.owner}")
    if entry.missed:
        say(f"missed: {', '.join(window.key for window in entry.missed[:5])}{', …' if len(entry.missed) > 5 else ''}")
    if not runs:
        say("it never ran")
        return
    print_table(RUN_COLUMNS, [_detail_line(one) for one in runs])


def document_of(run: Ran | None) -> dict[str, object] | None:
    """A run as JSON."""
    if run is None:
        return None
    return {
        "id": run.id,
        "status": run.status,
        "asked_by": run.asked_by,
        "by": run.who,
        "forced": run.forced,
        "first_window": run.first,
        "last_window": run.last,
        "backfill": run.backfill,
        "created_at": run.created,
        "started_at": run.started,
        "ended_at": run.ended,
        "seconds": run.seconds,
    }


def _document(entry: Entry) -> dict[str, object]:
    error, changed = entry.last_error, entry.timing.changed
    return {
        "job": entry.job.name,
        "does": entry.job.does,
        "assets": list(entry.job.assets),
        "owner": entry.job.owner,
        "schedule": {
            "cron": entry.timing.cron,
            "timezone": entry.timing.timezone,
            "on": entry.on,
            "test_mode": entry.timing.testing,
            "changed_by": changed.by if changed else None,
            "changed_at": changed.at if changed else None,
        },
        "last_run": document_of(entry.last_run),
        "last_success": document_of(entry.last_success),
        "succeeded_at": entry.succeeded_at,
        "last_error": {"run": error.run.id, "at": error.run.ended, "message": error.why} if error else None,
        "next_run": entry.next_tick,
        "running": [document_of(run) for run in entry.running],
        "running_since": min((run.started for run in entry.running if run.started), default=None),
        "missed": None if entry.missed is None else len(entry.missed),
        "missed_windows": None if entry.missed is None else [window.key for window in entry.missed],
        "waiting": entry.waiting,
    }


def _detail_document(detail: Detail) -> dict[str, object]:
    return {**(document_of(detail.run) or {}), "rows": detail.rows, "error": detail.error}


def _line(entry: Entry) -> tuple[object, ...]:
    since = min((run.started for run in entry.running if run.started), default=None)
    return (
        entry.job.name,
        _schedule(entry),
        Text("on", "green") if entry.on else Text("off", "bold red"),
        _status(entry.last_run) if entry.last_run else "never",
        _minute(entry.succeeded_at) or "never",
        _minute(entry.next_tick),
        _minute(since),
        None if entry.missed is None else Text(str(len(entry.missed)), "red" if entry.missed else ""),
        Text(_short(entry.last_error.why), "red") if entry.last_error else None,
    )


def _detail_line(detail: Detail) -> tuple[object, ...]:
    run = detail.run
    began = run.started or run.created
    took = None if run.seconds is None else f"{run.seconds:,.1f} s"
    rows = None if detail.rows is None else f"{detail.rows:,}"
    by = run.who or run.asked_by
    asked = f"{by}, forced" if run.forced else by
    error = Text(detail.error, "red") if detail.error else None
    return (
        run.id[:8],
        f"{began:{_DAY}}",
        took,
        Text(run.status, _COLOURS.get(run.status, "")),
        asked,
        _windows(run),
        rows,
        error,
    )


def _schedule(entry: Entry) -> str:
    zone = "" if entry.timing.timezone == "UTC" else f" {entry.timing.timezone}"
    return f"{entry.timing.cron}{zone}"


def _status(run: Ran) -> Text:
    return Text(f"{_minute(run.started or run.created)} {run.status}", _COLOURS.get(run.status, ""))


def _windows(run: Ran) -> str | None:
    return run.first if run.first == run.last else f"{run.first} … {run.last}"


def _minute(moment: datetime | None) -> str | None:
    return f"{moment:{_MINUTE}}" if moment else None


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
