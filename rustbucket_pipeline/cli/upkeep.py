"""`rustbucket upkeep`: the upkeep tasks, each also by hand. What a run of one does is in `upkeep_run.py`."""

from typing import Annotated

import typer

from rustbucket_pipeline.cli.alerting import AlertOption, alerting
from rustbucket_pipeline.cli.output import JsonOption, print_json, print_table

app = typer.Typer(
    help="What the pipeline does for itself: health, backups, retention, statistics, the dashboard.\n\n"
    "Each task is an asset of the group `upkeep` with a schedule of its own; here it runs by hand.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

Name = Annotated[str, typer.Argument(help="The task's name, as `upkeep list` shows it.", show_default=False)]


@app.command(name="list")
def list_(as_json: bool = JsonOption) -> None:
    """Every task: when it runs (UTC), and what it does. `rustbucket jobs list` says how each stands."""
    from rustbucket_pipeline.upkeep.tasks import TASKS

    if as_json:
        print_json([{"task": task.name, "cron": task.cron, "does": task.what} for task in TASKS])
        return
    print_table(("task", "when", "what"), [(task.name, task.cron, task.what) for task in TASKS])


@app.command()
def run(
    name: Name,
    dry_run: bool = typer.Option(False, "--dry-run", help="Tell what would be done, and change nothing."),
    alert: bool = AlertOption,
    as_json: bool = JsonOption,
) -> None:
    """Run a task now, whatever is due; the exit code is its result. Its lines are in `rustbucket jobs logs NAME`.

    While Dagster's daemon runs, it does the work; else this command does. A dry run is done here in any case.

    Examples: `rustbucket upkeep run health_report`, `… run health_report --dry-run`, `… run health_report --alert`.
    """
    from rustbucket_pipeline.cli.upkeep_run import run_here, run_job

    with alerting(wanted=alert):
        if dry_run:
            run_here(name, as_json=as_json)
        else:
            run_job(name, as_json=as_json)
