"""Holds the pipeline's tables and objects against the truth, in SQL and hashes: nothing else of it is asked.

A check that disagrees names what was expected and what was found. What each looks at stands in its file in `sql/`.
"""

from dataclasses import dataclass
from hashlib import sha256

import zstandard
from sqlalchemy import Connection, text

from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql

_ROOM = "rustbucket_pipeline.demo"

_CHECKS = (
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


def compare(connection: Connection, archive: Archive) -> list[Check]:
    """Every comparison, over the hours of which rows were built. Needs `demo_truth` (`load_truth`); leaves nothing."""
    with connection.begin_nested() as temporary:
        for name in ("place_truth", "place_events"):
            connection.execute(load_sql(_ROOM, name))
            connection.execute(text("ANALYZE true_places"))
        files = _archived_files(connection, archive)
        checks = [check for name, title in _CHECKS for check in _checks(connection, name, title)]
        temporary.rollback()
    return [files, *checks]


def _archived_files(connection: Connection, archive: Archive) -> Check:
    rows = connection.execute(load_sql(_ROOM, "archived_files")).all()
    whole = [row for row in rows if row.consumed == row.bytes]
    found = sum(_archived_sha256(archive, row.object_keys, row.bytes) == row.sha256 for row in whole)
    return Check("source files archived to their last byte, hash equal", len(rows), found)


def _archived_sha256(archive: Archive, object_keys: list[str], length: int) -> str:
    log = b"".join(zstandard.decompress(archive.get(key)) for key in object_keys)
    return sha256(log[:length]).hexdigest()


def _checks(connection: Connection, name: str, title: str) -> list[Check]:
    rows = connection.execute(load_sql(_ROOM, name))
    return [Check(f"{title}: {row.subject}" if row.subject else title, row.expected, row.found) for row in rows]
