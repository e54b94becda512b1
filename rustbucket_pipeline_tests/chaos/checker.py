"""What must hold of an archive whatever happened, and what must hold once a pull went through: problems, in words."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from hashlib import sha256
from itertools import groupby, permutations

import zstandard
from sqlalchemy import Connection, Engine, func, select

from rustbucket_pipeline.archive.faults import Fault
from rustbucket_pipeline.archive.ledger import window_versions
from rustbucket_pipeline.archive.verify import Selection, verify
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import segments, source_files, window_builds
from rustbucket_pipeline_tests.archive.fleet_on_disk import NINE
from rustbucket_pipeline_tests.chaos.shelves import Logs


def missing_objects(engine: Engine, archive: Archive, removed: Collection[str]) -> Iterator[str]:
    """Whatever happened: the archive holds every object the ledger names, but for those that a test took away."""
    stored = {one.key: one.size for one in archive.stored("raw")}
    with engine.connect() as connection:
        for row in connection.execute(select(segments.c.object_key, segments.c.stored_bytes)):
            found = stored.get(row.object_key)
            if row.object_key not in removed and found != row.stored_bytes:
                yield f"the ledger names {row.object_key}, {row.stored_bytes} bytes; the store has {found}"


def wrong_history(engine: Engine, archive: Archive, settings: Settings) -> Iterator[str]:
    """Once nothing is missing: every object holds its bytes, every link and every version of a window is right."""
    everything = Selection(NINE - timedelta(days=1), NINE + timedelta(days=1))
    found = verify(engine, archive, settings, everything, lambda _done, _of: None)
    yield from (f"{one.fault}: {one.subject} {one.detail}" for one in found.problems if one.fault is not Fault.ORPHANED)
    with engine.connect() as connection:
        starts = set(connection.execute(select(segments.c.window_start)).scalars())
        rows = connection.execute(select(window_builds.c.window_start, window_builds.c.output_version))
        built = {row.window_start: row.output_version for row in rows}
        for start, version in window_versions(connection, sorted(starts)).items():
            if built.get(start) != version:
                yield f"window {start} holds other segments than its build says"


class Archived:
    """One rustbucket's logs and cursors as the archive has them, read without the code that wrote them."""

    def __init__(self, connection: Connection, archive: Archive, rustbucket_id: str) -> None:
        rows = connection.execute(
            select(segments)
            .where(segments.c.rustbucket_id == rustbucket_id)
            .order_by(segments.c.log_id, segments.c.byte_start)
        )
        self.problems: list[str] = []
        self.logs: dict[int, bytes] = {}
        for log_id, group in groupby(rows, key=lambda row: row.log_id):
            log = b""
            for row in group:
                data = zstandard.decompress(archive.get(row.object_key))
                if (row.byte_start, row.byte_end) != (len(log), len(log) + len(data)):
                    self.problems.append(
                        f"log {log_id}: {row.byte_start}–{row.byte_end} doesn't follow byte {len(log)}"
                    )
                if sha256(data).hexdigest() != row.sha256:
                    self.problems.append(f"log {log_id}: {row.object_key} holds other bytes")
                log += data
            self.logs[log_id] = log
        current = connection.execute(
            select(source_files).where(
                source_files.c.rustbucket_id == rustbucket_id, source_files.c.replaced_at.is_(None)
            )
        ).all()
        self.cursors = {row.key: row for row in current}
        if len(current) != len(self.cursors):
            self.problems.append("a key has two cursors")

    def differences(self, logs: Logs, must: Collection[bytes]) -> Iterator[str]:
        """Against the source: what it holds, what it ever held, and of that what pulls that went through had seen."""
        yield from self.problems
        for key, content in logs.files.items():
            cursor = self.cursors.get(key)
            if cursor is None:
                yield f"{key} has no cursor"
            elif self.logs.get(cursor.log_id, b"")[: cursor.consumed] != content:
                yield f"{key}: {len(content)} bytes are archived as {cursor.consumed} others of log {cursor.log_id}"
        for content in must:
            if not any(log.startswith(content) for log in self.logs.values()):
                yield f"{len(content)} bytes that a pull had seen are not archived: {content[:60]}"
        for log_id, log in self.logs.items():
            if not any(content.startswith(log) for content in logs.ever):
                yield f"log {log_id} holds {len(log)} bytes that never were in the source"
        for (one, held), (other, longer) in permutations(self.logs.items(), 2):
            if longer.startswith(held):
                yield f"log {one} is archived once more as part of log {other}"


def differences(
    engine: Engine, archive: Archive, sources: Mapping[str, Logs], must: Mapping[str, Collection[bytes]]
) -> Iterator[str]:
    """Archived bytes = source bytes, each exactly once, and cursors right."""
    with engine.connect() as connection:
        for rustbucket_id, logs in sources.items():
            archived = Archived(connection, archive, rustbucket_id)
            yield from (f"{rustbucket_id}: {words}" for words in archived.differences(logs, must[rustbucket_id]))


def counts(engine: Engine, archive: Archive) -> dict[str, int]:
    """Rows and objects: what pulling the same once more must not change."""
    with engine.connect() as connection:
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (segments, source_files)
        }
    return {**rows, "objects": len(list(archive.keys("raw")))}
