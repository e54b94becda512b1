"""Dagster's instance, for commands: its records of runs, schedules and backfills."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg


@contextmanager
def dagster_instance() -> Generator[dg.DagsterInstance]:
    """The instance of `DAGSTER_HOME`, its connections closed on leaving."""
    instance = dg.DagsterInstance.get()
    try:
        yield instance
    finally:
        instance.dispose()
