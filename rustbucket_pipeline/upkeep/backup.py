"""`database_backup`: ours and Dagster's database, the home's settings and keys, sealed, into the archive.

Everything is streamed. Rows are counted in the snapshot that is dumped, so a restored copy must agree to the row.
"""

import io
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import psycopg
from sqlalchemy import URL

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.secrets import KEYS_FILE
from rustbucket_pipeline.storage.signing import KEY_FILE as SIGNING_KEY_FILE
from rustbucket_pipeline.storage.signing import public_key
from rustbucket_pipeline.upkeep.backup_manifest import PREFIX, BackupManifest, Dumped, Kept, put_manifest
from rustbucket_pipeline.upkeep.backup_programs import Program, dumper_for, dumping
from rustbucket_pipeline.upkeep.backup_seal import Readable, Recipient, recipients_of, sealed
from rustbucket_pipeline.upkeep.backup_sums import chain_of, sums_of
from rustbucket_pipeline.upkeep.task import Bench, Task, Told

OURS, HISTORY, HOME = "rustbucket.dump", "dagster.dump", "home.tar"
"""A backup's objects: our database, Dagster's, and files of the home."""

HOME_FILES = ("settings.toml", "schedules.toml")
SECRET_FILES = (KEYS_FILE, SIGNING_KEY_FILE, "newest-manifest.json")
"""Files of the home that are backed up sealed only: without them a restored database can't read its tokens."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Dump:
    """A database that was dumped."""

    kept: Kept
    said: Dumped
    program: Program


def make_backup(settings: Settings, archive: Archive, now: datetime, say: Say = lambda _: None) -> BackupManifest:
    """Back up all that a restored pipeline needs but the archived bytes, which are there already; what was made.

    The database's server must be running.

    Raises:
        ConfigurationError: the recipient is no public key, or no pg_dump fits the server.
        DatabaseUnavailable, StoreUnavailable: there is no backup; what was stored of it goes with the next clean-up.
        IntegrityError: there is a backup of this second already.
    """
    recipients = recipients_of(settings)
    public_key(settings)  # made now, on first use: the home's files are packed before the manifest is signed
    putting = _Putting(archive, now.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ"), list(recipients.values()))
    url, history = databases.address(settings), databases.history_address(settings)
    with databases.maintenance(settings) as connection:
        has_history = databases.exists(connection, history.database or "")
    say(f"dumping {databases.place(url)}")
    with _snapshot(url) as connection:
        ours = _dump(putting, OURS, url, connection)
        chain, revision = chain_of(connection), _revision(connection)
    dumps = [ours]
    if has_history:
        say(f"dumping {databases.place(history)}")
        with _snapshot(history) as connection:
            dumps.append(_dump(putting, HISTORY, history, connection))
    home = putting.put(HOME, io.BytesIO(_packed(settings, HOME_FILES + SECRET_FILES if recipients else HOME_FILES)))
    manifest = BackupManifest(
        name=putting.name,
        made_at=now,
        sealed_for=tuple(recipients),
        revision=revision,
        dumped_by=ours.program.version,
        objects=(*(dump.kept for dump in dumps), home),
        databases=tuple(dump.said for dump in dumps),
        chain=chain,
        signed_archive=max(archive.keys("manifests"), default=None),
    )
    put_manifest(archive, settings, manifest)
    return manifest


class _Putting:
    """Stores the objects of one backup, sealed."""

    def __init__(self, archive: Archive, name: str, recipients: Sequence[Recipient]) -> None:
        self.name = name
        self._archive = archive
        self._recipients = recipients

    def put(self, name: str, source: Readable) -> Kept:
        key = f"{PREFIX}/{self.name}/{name}{'.age' if self._recipients else ''}"
        plain = _Counted(source)
        stored = _Measure()
        if not self._archive.put_stream(key, stored.of(sealed(plain, self._recipients))):
            raise IntegrityError(f"{key} is there already; correct this machine's clock")
        return Kept(
            name=name,
            key=key,
            bytes=stored.bytes,
            sha256=stored.sha256,
            plain_bytes=plain.seen.bytes,
            plain_sha256=plain.seen.sha256,
        )


class _Measure:
    """Counts and hashes what goes by."""

    def __init__(self) -> None:
        self.bytes = 0
        self._hash = sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def take(self, data: bytes) -> bytes:
        self.bytes += len(data)
        self._hash.update(data)
        return data

    def of(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        return map(self.take, blocks)


class _Counted:
    """A source, measured as it is read."""

    def __init__(self, source: Readable) -> None:
        self.seen = _Measure()
        self._source = source

    def read(self, size: int = -1) -> bytes:
        return self.seen.take(self._source.read(size))


def _snapshot(url: URL) -> psycopg.Connection:
    """A connection whose one transaction sees the database as it is at its first statement, and changes nothing."""
    try:
        connection = psycopg.connect(databases.dsn(url), connect_timeout=10, application_name="rustbucket backup")
    except psycopg.OperationalError as error:
        raise databases.unavailable(url, error) from error
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def _dump(putting: _Putting, name: str, url: URL, connection: psycopg.Connection) -> _Dump:
    try:
        row = connection.execute("SELECT pg_export_snapshot(), current_setting('server_version')").fetchone()
        snapshot, server = map(str, row or ("", ""))
        program = dumper_for(connection.info.server_version // 10_000)
        with dumping(program, url, snapshot) as dump:
            kept = putting.put(name, dump)
        return _Dump(kept, Dumped(name=name, server=server, tables=sums_of(connection)), program)
    except psycopg.OperationalError as error:
        raise databases.unavailable(url, error) from error


def _revision(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT max(version_num) FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _packed(settings: Settings, names: Sequence[str]) -> bytes:
    """The home's files of these names that there are, as a tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in names:
            path = settings.home / name
            if path.is_file():
                entry = tarfile.TarInfo(name)
                data = path.read_bytes()
                entry.size, entry.mode = len(data), 0o600
                tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _run(bench: Bench) -> Told:
    made = make_backup(bench.settings, bench.archive, bench.now, bench.say)
    rows = {one.name: sum(table.rows for table in one.tables.values()) for one in made.databases}
    return Told(
        summary=f"backup {made.name}: {made.bytes:,} bytes, {_openers(bench.settings)}",
        figures={
            "bytes": made.bytes,
            "rows": rows[OURS],
            "history_rows": rows.get(HISTORY),
            "logs": made.chain.logs,
            "sealed": bool(made.sealed_for),
        },
        lines=tuple(f"{one.key}: {one.bytes:,} bytes" for one in made.objects),
    )


def _dry_run(bench: Bench) -> Told:
    with databases.maintenance(bench.settings) as connection:
        names = [databases.address(bench.settings).database, databases.history_address(bench.settings).database]
        sizes = {name: databases.size(connection, name or "") or 0 for name in names}
    recipients = recipients_of(bench.settings)
    return Told(
        summary=f"{sum(sizes.values()):,} bytes of databases would be backed up, {_openers(bench.settings)}",
        figures={"database_bytes": sum(sizes.values()), "sealed": bool(recipients)},
        lines=tuple(f"{name}: {size:,} bytes" for name, size in sizes.items()),
    )


def _openers(settings: Settings) -> str:
    if settings.backup_plain:
        return "NOT sealed (RUSTBUCKET_BACKUP_PLAIN)"
    return "sealed for the recipient and this home" if settings.backup_recipient else "sealed for this home only"


def backup_warning(settings: Settings) -> str:
    """What is to be said of how backups are made, for `doctor`; empty: nothing."""
    if settings.backup_plain:
        return (
            "backups are stored unencrypted: whoever reads the archive reads them; unset RUSTBUCKET_BACKUP_PLAIN, "
            "and set RUSTBUCKET_BACKUP_RECIPIENT to your public key"
        )
    if settings.backup_recipient is None:
        return (
            f"backups can be opened with {settings.home / 'backup.key'} only: copy it off this machine, "
            "or set RUSTBUCKET_BACKUP_RECIPIENT to your public key"
        )
    return ""


DATABASE_BACKUP = Task(
    name="database_backup",
    what="Back up our database, Dagster's, the settings and the home's keys, sealed, into the archive.",
    cron="40 1 * * *",
    every=timedelta(days=1),
    run=_run,
    dry_run=_dry_run,
    deps=("parsed_logs", "log_analysis", "archive_manifest"),
    kinds=frozenset({"postgres", "s3"}),
)
