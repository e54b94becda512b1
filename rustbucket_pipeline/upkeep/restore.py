"""A backup brought back: its objects fetched, checked and opened, its databases restored into a home of their own.

Never into a home that is in use, never into a database that is. Whether a backup can be believed: `backup_manifest`.
"""

import tarfile
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from sqlalchemy import make_url

from rustbucket_pipeline.errors import IntegrityError, UsageError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases, embedded
from rustbucket_pipeline.storage.home import private_directory
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import upgrade
from rustbucket_pipeline.upkeep.backup import HISTORY, HOME, HOME_FILES, OURS, SECRET_FILES
from rustbucket_pipeline.upkeep.backup_manifest import BackupManifest, Kept
from rustbucket_pipeline.upkeep.backup_programs import restore_dump
from rustbucket_pipeline.upkeep.backup_seal import Identity, unseal

DATABASES = {OURS: databases.DATABASE, HISTORY: databases.HISTORY}
"""Which database of an embedded server each dump becomes."""

Say = Callable[[str], None]


def restore_home(
    settings: Settings,
    archive: Archive,
    manifest: BackupManifest,
    identities: Sequence[Identity],
    into: Path,
    say: Say,
    *,
    durable: bool = True,
) -> Settings:
    """Make a new home of the backup, its server running and its schema brought to this release; settings of it.

    Raises:
        UsageError: there is something at `into` already.
        IntegrityError: an object is missing, changed or cut, or none of the identities opens it.
    """
    into = into.absolute()
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise UsageError(f"{into} isn't empty; name a directory that doesn't exist yet")
    private_directory(into, "--into")
    restore_databases(archive, manifest, identities, into, say, durable=durable)
    packed = fetch(archive, manifest.object_named(HOME), identities, into / "restored.part", sealed=_sealed(manifest))
    _unpack(packed, into)
    packed.unlink()
    restored = settings.model_copy(update={"home": into, "database_url": None, "reader_url": None})
    upgrade(restored)
    return restored


def restore_databases(
    archive: Archive,
    manifest: BackupManifest,
    identities: Sequence[Identity],
    home: Path,
    say: Say,
    *,
    durable: bool = True,
) -> None:
    """Start a server in that home and restore the backup's databases into it, as they were dumped.

    Raises:
        IntegrityError: an object is missing, changed or cut, or can't be opened or restored.
    """
    embedded.ensure(home, durable=durable)
    server = make_url(embedded.url(home, "postgres"))
    for dumped in manifest.databases:
        say(f"restoring {dumped.name}")
        kept = manifest.object_named(dumped.name)
        dump = fetch(archive, kept, identities, home / "restored.part", sealed=_sealed(manifest))
        url = server.set(database=DATABASES[dumped.name])
        with databases.connected(server) as connection:
            databases.create(connection, DATABASES[dumped.name])
        restore_dump(dump, url)
        dump.unlink()


def fetch(archive: Archive, kept: Kept, identities: Sequence[Identity], into: Path, *, sealed: bool) -> Path:
    """The object's plain bytes as a file (0600), checked as stored and as they were before.

    Raises:
        IntegrityError: it is missing, changed or cut, or none of the identities opens it.
    """
    stored = sha256()

    def seen(block: bytes) -> bytes:
        stored.update(block)
        return block

    into.touch(mode=0o600)
    try:
        with into.open("wb") as file:
            unseal(map(seen, archive.stream(kept.key)), file, identities if sealed else ())
    except IntegrityError as error:
        raise IntegrityError(f"{kept.key}: {error}") from error
    if stored.hexdigest() != kept.sha256 or _hash_of(into) != kept.plain_sha256:
        raise IntegrityError(f"{kept.key} holds other bytes than the manifest says; take another backup")
    return into


def check_object(archive: Archive, kept: Kept) -> Iterator[str]:
    """What is wrong with an object of a backup, as it is stored."""
    stored, size = sha256(), 0
    try:
        for block in archive.stream(kept.key):
            stored.update(block)
            size += len(block)
    except IntegrityError as error:
        yield str(error)
        return
    if size != kept.bytes or stored.hexdigest() != kept.sha256:
        yield f"{kept.key} holds other bytes than were stored"


def _hash_of(path: Path) -> str:
    seen = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            seen.update(block)
    return seen.hexdigest()


def _sealed(manifest: BackupManifest) -> bool:
    return bool(manifest.sealed_for)


def _unpack(packed: Path, into: Path) -> None:
    """The home's files out of their tar archive: those of known names only."""
    with tarfile.open(packed) as tar:
        for entry in tar:
            held = tar.extractfile(entry) if entry.isfile() and entry.name in HOME_FILES + SECRET_FILES else None
            if held is not None:
                path = into / entry.name
                path.touch(mode=0o600)
                path.write_bytes(held.read())
