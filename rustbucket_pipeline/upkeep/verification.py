"""`backup_verification`: a backup is believed because it was restored and compared, beside production, never into it.

The newest backup's manifest, its objects, a restored copy's rows and chain, and the archived segments that copy names.
What is wrong is named. `BACKUP_VERIFY_COMPONENTS` selects; which parts there are: `retention_settings.COMPONENTS`.
"""

import shutil
import tempfile
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
from sqlalchemy import Engine, make_url

from rustbucket_pipeline.alerts.book import clear, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases, embedded
from rustbucket_pipeline.storage.home import private_directory
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.signing import public_key
from rustbucket_pipeline.upkeep.backup import OURS
from rustbucket_pipeline.upkeep.backup_manifest import BackupManifest, Dumped, Found, backup_named, differing_objects
from rustbucket_pipeline.upkeep.backup_seal import Identity, own_identity
from rustbucket_pipeline.upkeep.backup_sums import chain_of, differences, sums_of, unlinked
from rustbucket_pipeline.upkeep.restore import DATABASES, check_object, restore_databases
from rustbucket_pipeline.upkeep.segment_check import Checked, check_segments
from rustbucket_pipeline.upkeep.task import Bench, Task, Told

SUBJECT = "database backup"
MOST_NAMED = 20
"""Problems named of each part; all are counted."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at of a backup, and what is wrong. `restored`: a copy could be made (None: wasn't tried)."""

    name: str
    components: tuple[str, ...]
    problems: tuple[str, ...]
    restored: bool | None
    tables: int = 0
    rows: int = 0
    segments: int = 0


def verify_backup(
    settings: Settings,
    archive: Archive,
    engine: Engine,
    found: Found,
    components: Collection[str],
    identities: Sequence[Identity],
    week: int,
    say: Say = lambda _: None,
) -> Verified:
    """Look at these parts of a backup; what is wrong never ends it. `week` chooses which segments are read.

    `engine` is on the database of today: what retention deleted since isn't missed. `identities` open the backup.

    Raises:
        StoreUnavailable, DatabaseUnavailable: it can't be looked at now, which says nothing about it.
    """
    done = tuple(components)
    if found.manifest is None:
        return Verified(found.name, done, (found.wrong,), None)
    problems = [f"manifest: {problem}" for problem in _own_doubts(archive, found.manifest)]
    if "objects" in components and not problems:
        say("reading the backup's objects")
        problems += [f"objects: {one}" for kept in found.manifest.objects for one in check_object(archive, kept)]
    if problems or not {"restore", "rows", "chain", "segments"} & set(components):
        return Verified(found.name, done, tuple(problems), None)
    with _scratch(settings) as home:
        try:
            restore_databases(archive, found.manifest, identities, home, say, durable=False)
        except IntegrityError as error:
            return Verified(found.name, done, (f"restore: {error}",), restored=False)
        return _Comparison(archive, engine, found.manifest, home, week, say).of(components)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A restored copy against its manifest, and the archive against the copy."""

    archive: Archive
    engine: Engine
    manifest: BackupManifest
    home: Path
    week: int
    say: Say

    def of(self, components: Collection[str]) -> Verified:
        problems: list[str] = []
        segments = Checked()
        if "rows" in components:
            self.say("comparing rows")
            for dumped in self.manifest.databases:
                problems += _first(f"rows: {dumped.name}: {one}" for one in self._row_problems(dumped))
        if "chain" in components:
            self.say("following the chain")
            problems += [f"chain: {problem}" for problem in self._chain_problems()]
        if "segments" in components:
            self.say("looking for the segments it names")
            with self._copy(OURS) as connection:
                segments = check_segments(connection, self.archive, self.engine, self.week)
            problems += _first(f"segments: {problem}" for problem in segments.problems)
        tables = [table for dumped in self.manifest.databases for table in dumped.tables.values()]
        rows = sum(table.rows for table in tables)
        return Verified(
            self.manifest.name, tuple(components), tuple(problems), True, len(tables), rows, segments.segments
        )

    def _copy(self, name: str) -> AbstractContextManager[psycopg.Connection]:
        return databases.connected(make_url(embedded.url(self.home, DATABASES[name])))

    def _row_problems(self, dumped: Dumped) -> list[str]:
        with self._copy(dumped.name) as connection, connection.transaction():
            return list(differences(dumped.tables, sums_of(connection)))

    def _chain_problems(self) -> Iterator[str]:
        with self._copy(OURS) as connection:
            found = chain_of(connection)
            wrong, log_id = unlinked(connection)
        if found != self.manifest.chain:
            yield f"its ends are {found.logs:,} logs of {found.bytes:,} bytes, not those the manifest has"
        if wrong:
            yield f"{wrong:,} segments don't follow the one before in their log, the first in log {log_id}"


def _own_doubts(archive: Archive, manifest: BackupManifest) -> Iterator[str]:
    """What the manifest contradicts by itself, or by what is there."""
    names = [one.name for one in manifest.objects]
    if missing := {dumped.name for dumped in manifest.databases} - set(names):
        yield f"it names no object for {', '.join(sorted(missing))}"
    yield from differing_objects(archive, manifest)


def _first(problems: Iterable[str]) -> list[str]:
    found = list(problems)
    more = [f"… and {len(found) - MOST_NAMED:,} more"] if len(found) > MOST_NAMED else []
    return found[:MOST_NAMED] + more


@contextmanager
def _scratch(settings: Settings) -> Generator[Path]:
    """A home for a copy, on the same disk, gone afterwards with its server; what a kill left of others goes first."""
    root = private_directory(private_directory(settings.home) / "verifying")
    for left in root.iterdir():
        _remove(left)
    home = Path(tempfile.mkdtemp(dir=root))
    try:
        yield home
    finally:
        _remove(home)


def _remove(home: Path) -> None:
    embedded.down(home)
    shutil.rmtree(home, ignore_errors=True)


def _run(bench: Bench) -> Told:
    found, verified = _verified(bench)
    kind = Kind.BACKUP_MISMATCH if verified.restored is not False else Kind.RESTORE_FAILED
    with bench.engine.begin() as connection:
        for one in (Kind.BACKUP_MISMATCH, Kind.RESTORE_FAILED):
            if not verified.problems or one is not kind:
                clear(connection, one, SUBJECT, bench.now, f"backup {found.name} is as it should be")
        if verified.problems:
            cause = f"{found.name}: {verified.problems[0]}; `rustbucket backup verify` says all"
            raise_(connection, kind, SUBJECT, cause, kind.severity, bench.now)
    return _told(verified)


def _dry_run(bench: Bench) -> Told:
    return _told(_verified(bench)[1])


def _verified(bench: Bench) -> tuple[Found, Verified]:
    settings = bench.settings
    found = backup_named(bench.archive, "", public_key(settings))
    components, own = settings.backup_components, [own_identity(settings)]
    week = bench.now.isocalendar().week
    verified = verify_backup(settings, bench.archive, bench.engine, found, components, own, week, bench.say)
    return found, verified


def _told(verified: Verified) -> Told:
    wrong = f"{len(verified.problems)} problems, the first: {verified.problems[0]}" if verified.problems else "all well"
    return Told(
        summary=f"backup {verified.name}: {wrong}",
        figures={
            "problems": len(verified.problems),
            "restored": verified.restored,
            "tables": verified.tables,
            "rows": verified.rows,
            "segments": verified.segments,
        },
        lines=verified.problems,
        ok=not verified.problems,
    )


BACKUP_VERIFICATION = Task(
    name="backup_verification",
    what="Restore the newest backup beside production, and compare rows, checksums, the chain and the segments.",
    cron="0 3 * * 0",
    every=timedelta(days=7),
    run=_run,
    dry_run=_dry_run,
    deps=("database_backup",),
    kinds=frozenset({"postgres", "s3"}),
)
