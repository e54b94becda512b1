"""Holds the pipeline's tables against the truth, in SQL alone: nothing the pipeline runs on is imported or asked.

A check that disagrees names what was expected and what was found. What each looks at stands in its file in `sql/`.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from rustbucket_pipeline.storage.postgres import load_sql

_ROOM = "rustbucket_pipeline.demo"

_CHECKS = (
    ("archived_files", "source files read to their last byte, hash equal"),
    ("archived_bytes", "source bytes archived, each once"),
    ("hours_built", "played hours that have rows"),
    ("records_kept", "true records kept"),
    ("untrue_records", "rows of records that never were"),
    ("event_times", "events at their true time"),
    ("hour_sums", "sums of the hours"),
    ("by_protocol", "events by protocol"),
    ("by_kind", "counted"),
    ("typed_values", "read as typed"),
    ("forged_heads", "forged lines below full trust"),
)
"""The file of each comparison, and its name for people."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: what is true, what the pipeline has."""

    name: str
    expected: int
    found: int

    @property
    def ok(self) -> bool:
        """Whether the two agree."""
        return self.expected == self.found


def compare(connection: Connection) -> list[Check]:
    """Every comparison, over the hours of which rows were built. Needs `demo_truth` (`load_truth`); leaves nothing."""
    with connection.begin_nested() as temporary:
        for name in ("place_truth", "place_events"):
            connection.execute(load_sql(_ROOM, name))
            connection.execute(text("ANALYZE true_places"))
        checks = [check for name, title in _CHECKS for check in _checks(connection, name, title)]
        temporary.rollback()
    return checks


def _checks(connection: Connection, name: str, title: str) -> list[Check]:
    rows = connection.execute(load_sql(_ROOM, name))
    return [Check(f"{title}: {row.subject}" if row.subject else title, row.expected, row.found) for row in rows]
