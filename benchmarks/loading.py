"""Parsing and loading archived hours, against PostgreSQL's own server-side COPY of the finished rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from benchmarks.measure import Comparison, seconds_of
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.storage.objects import Archive


def compare_loading(engine: Engine, archive: Archive, hours: Sequence[datetime], size: int) -> Comparison:
    """`size` bytes of archived log. Its rows go out to a file and come back into the same table, emptied, indexed."""
    now = max(hours) + timedelta(hours=2)
    ours = seconds_of(lambda: [build_hour(engine, archive, Window(hour, HOUR), now, None) for hour in hours])
    with engine.begin() as connection:
        folder = connection.execute(text("SHOW data_directory")).scalar_one()
        connection.execute(text(f"COPY (SELECT * FROM log_events) TO '{folder}/rows.copy'"))
        connection.execute(text("TRUNCATE log_events"))
    server = seconds_of(lambda: _copy(engine, f"{folder}/rows.copy"))
    return Comparison("parsing and loading", "server-side COPY of the rows", size, ours, server)


def _copy(engine: Engine, file: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"COPY log_events FROM '{file}'"))
