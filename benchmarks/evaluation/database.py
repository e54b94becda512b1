"""A database of its own for a measure, gone afterwards."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.event_days import ensure_event_partition
from rustbucket_pipeline.storage.postgres import open_database


@contextmanager
def database(day: datetime) -> Generator[Engine]:
    """An empty one that takes rows of that day; never one that is configured."""
    home = Path(tempfile.mkdtemp(prefix="rustbucket-eval-"))
    try:
        os.environ.update(environment(home))
        with shared(home):
            engine = open_database(load_settings())
            with engine.begin() as connection:
                ensure_event_partition(connection, day.date())
            yield engine
            engine.dispose()
    finally:
        shutil.rmtree(home, ignore_errors=True)
