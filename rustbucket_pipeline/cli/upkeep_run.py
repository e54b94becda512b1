"""`rustbucket upkeep run`: a task's run or dry run, and what it told."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import NoReturn
from uuid import uuid4

from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import errors, plain, print_json, print_table, say
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.control.instance import dagster_instance
from rustbucket_pipeline.control.jobs import job_named
from rustbucket_pipeline.control.ran import error_of
from rustbucket_pipeline.control.seen import Seen
from rustbucket_pipeline.control.starting import Start, Starter
from rustbucket_pipeline.control.told import told_by
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.upkeep.task import Bench, Told
from rustbucket_pipeline.upkeep.tasks import task_named


def run_here(name: str, *, as_json: bool) -> NoReturn:
    """What the task would do: told, not done, and no run of Dagster's."""
    task = task_named(name)
    with opened() as (engine, settings), dagster_instance() as instance:
        seen = Seen(instance, engine, settings)
        told = task.dry_run(Bench(settings, engine, open_archive(settings), seen, _now(), _progress, _now))
    _show(f"{name}, dry run", told, as_json=as_json)
    raise SystemExit(0 if told.ok else 1)


def run_job(name: str, *, as_json: bool) -> NoReturn:
    """Run the task's job to its end: by the daemon while it runs, else in this process."""
    job = job_named(task_named(name).name)
    with opened(), dagster_instance() as instance:
        starter = Starter.of(instance, _now)
        run = starter.run(Start(str(uuid4()), job, None, login(), forced=False, config={}), lambda _: None)
        told = told_by(instance, run.id)
        why = None if run.status == "SUCCESS" else error_of(instance, run.id) or run.status
    if told is not None:
        _show(f"{name}, run {run.id[:8]}", told, as_json=as_json)
    if why is not None and (told is None or told.ok):
        errors.print(f"{name}: {plain(why)}", style="red", soft_wrap=True, markup=False)
    raise SystemExit(0 if why is None else 1)


def _show(what: str, told: Told, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(told))
        return
    for line in told.lines:
        say(plain(line))
    say(f"{what}: {plain(told.summary)}", style="" if told.ok else "bold red")
    print_table(("figure", "value"), list(told.figures.items()))


def _now() -> datetime:
    return datetime.now(UTC)


def _progress(line: str) -> None:
    """How far it is, beside what is printed in the end."""
    errors.print(plain(line), style="dim", soft_wrap=True, markup=False)
