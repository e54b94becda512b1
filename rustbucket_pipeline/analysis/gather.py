"""What a window held, gathered into tables of the transaction: values, sessions by behaviour, indicators.

PostgreSQL gathers and counts; each distinct text is read here, once. No comparison with other windows, no judgement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, text

from rustbucket_pipeline.analysis.indicators import named_in
from rustbucket_pipeline.analysis.templates import Behaviour, behaviour_of, shape_of, template_of
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import copy_rows, load_sql

PACKAGE = "rustbucket_pipeline.analysis"

EVIDENCE = 20
"""Event ids kept per indicator."""

_WORK_MEMORY = "SET LOCAL work_mem = '96MB'"
"""A million rows are sorted and hashed in memory; the embedded server's default is for many small questions."""


@dataclass(slots=True)
class Gathered:
    """The window's behaviours by fingerprint; of each template, the first line that it was made of."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict[str, Behaviour])
    commands: dict[str, str] = field(default_factory=dict[str, str])
    requests: dict[str, str] = field(default_factory=dict[str, str])


def gather(connection: Connection, window: Window) -> Gathered:
    """Fill the tables of `sql/window_tables.sql` anew from the window's rows."""
    span = {"start": window.start, "end": window.end}
    connection.execute(text(_WORK_MEMORY))
    connection.execute(load_sql(PACKAGE, "window_tables"))
    connection.execute(load_sql(PACKAGE, "window_values"), span)
    connection.execute(load_sql(PACKAGE, "window_sessions"), span)
    gathered = Gathered()
    found = [_named_behaviour(gathered, row) for row in _read(connection, "window_behaviours")]
    copy_rows(connection, "window_behaviours", ("behaviour_key", "fingerprint", "shape"), found)
    connection.execute(load_sql(PACKAGE, "window_clusters"))
    connection.execute(load_sql(PACKAGE, "window_texts"), span)
    copy_rows(connection, "window_named", ("text_hash", "type", "value", "shape"), list(_named(connection)))
    connection.execute(text("ANALYZE window_texts, window_named, window_sessions, window_behaviours"))
    connection.execute(load_sql(PACKAGE, "window_indicators"), {**span, "evidence": EVIDENCE})
    connection.execute(text("ANALYZE window_values, window_clusters, window_indicators"))
    return gathered


def _read(connection: Connection, name: str) -> Iterator[Row[tuple[object, ...]]]:
    yield from connection.execute(load_sql(PACKAGE, name), execution_options={"yield_per": 2000})


def _named_behaviour(gathered: Gathered, row: Row[tuple[object, ...]]) -> tuple[bytes, str, str]:
    """The behaviour of the sessions of one key: the key, its fingerprint and shape."""
    kinds = [kind for kind, did in (("login", row.logins), ("mail", row.mails)) if did]
    lines: list[str] = [*row.command_lines, *row.request_lines]
    behaviour = behaviour_of(row.protocol, kinds if kinds or lines else ["connect"], lines)
    if behaviour.fingerprint not in gathered.behaviours:
        gathered.behaviours[behaviour.fingerprint] = behaviour
        for line in row.command_lines:
            gathered.commands.setdefault(template_of(line)[0], line)
        for line in row.request_lines:
            gathered.requests.setdefault(template_of(line)[0], line.partition(" ")[2])
    return row.behaviour_key, behaviour.fingerprint, shape_of(row.protocol, behaviour.verbs)


def _named(connection: Connection) -> Iterator[tuple[bytes, str, str, str]]:
    query = text("SELECT DISTINCT ON (text_hash) text_hash, told FROM window_texts ORDER BY text_hash")
    for row in connection.execute(query, execution_options={"yield_per": 1000}):
        shape = shape_of(None, template_of(row.told)[1])
        yield from ((row.text_hash, kind, value, shape) for kind, value in named_in(row.told))
