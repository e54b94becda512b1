"""Rows of `log_events` as a pandas frame, for notebooks: `from rustbucket_pipeline.events import frame`.

The database is the one that the settings name. Which rows, and what the columns are: `query`.
"""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.query import Filters, Shelf, columns_named, rows_found
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.postgres import open_database

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_ROWS = 1_000_000
"""Rows unless told otherwise; each takes about a kilobyte."""


def frame(
    start: datetime | str,
    end: datetime | str | None = None,
    *,
    rustbuckets: Sequence[str] = (),
    event_types: Sequence[str] = (),
    protocols: Sequence[str] = (),
    src_ip: str = "",
    username: str = "",
    password: str = "",
    command_like: str = "",
    counted: bool = False,
    columns: Sequence[str] = (),
    limit: int | None = MOST_ROWS,
) -> "pd.DataFrame":
    """The events of `[start, end)` that fit all the filters, newest first; the newest `limit` of them.

    Times are datetimes or ISO 8601, UTC where they don't say. Columns are those of `docs/events.md`, or those named:
    times as `datetime64[us, UTC]`, whole numbers as `Int64`, text as `str`, `fields` as dictionaries.

        frame("2026-03-02", "2026-03-03", event_types=["command"], columns=["event_ts", "src_ip", "command"])

    Raises:
        UsageError: a time or an address isn't one, or there is no such column.
        ConfigurationError, DatabaseUnavailable: the database can't be used.
    """
    import pandas as pd  # imported here: half a second that only notebooks pay
    import pyarrow as pa

    from rustbucket_pipeline.events.batches import batches_of, schema_of

    filters = Filters(
        start=_moment(start),
        end=None if end is None else _moment(end),
        rustbuckets=rustbuckets,
        event_types=event_types,
        protocols=protocols,
        src_ip=src_ip,
        username=username,
        password=password,
        command_like=command_like,
        counted=counted,
    )
    chosen = columns_named(columns)
    settings = load_settings()
    engine = open_database(settings)
    shelf = Shelf(settings, open_archive(settings))
    try:
        with closing(rows_found(engine, filters, chosen, limit, shelf)) as rows:
            table = pa.Table.from_batches(list(batches_of(chosen, rows)), schema_of(chosen))
    finally:
        engine.dispose()
    found = table.to_pandas(types_mapper=_nullable)  # pyright: ignore[reportUnknownMemberType]
    for column in chosen:
        if column.kind == "json":
            texts = table[column.name].to_pylist()
            found[column.name] = pd.Series([text and msgspec.json.decode(text) for text in texts], dtype=object)
    return found


def _nullable(kind: "pa.DataType") -> "pd.Int64Dtype | None":
    """Whole numbers stay whole where some are missing."""
    import pandas as pd

    return pd.Int64Dtype() if str(kind) == "int64" else None


def _moment(written: datetime | str) -> datetime:
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else written
    except ValueError:
        raise UsageError(f"{written!r:.80} is no time; write 2026-03-02 or 2026-03-02T04:05:06Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
