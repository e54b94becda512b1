"""What a backup says of itself: its objects, what the databases held, and for whom it is sealed; signed by the home.

A backup lies below `backups/<name>/`, its manifest last: without one it never was. Nothing is deleted here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from rustbucket_pipeline.errors import IntegrityError, UsageError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.signing import is_signed, public_key, sign

PREFIX = "backups"
MANIFEST = "manifest.json"

FRESH = timedelta(days=1)
"""How old the newest good backup may be for anything to be deleted."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sum(_Strict):
    """A table's rows: how many, and a sum over the hashes of all of them, whatever their order."""

    rows: int
    checksum: str


class Dumped(_Strict):
    """A database as it was dumped: `name` is ours or Dagster's, `server` PostgreSQL's version; its tables' sums."""

    name: str
    server: str
    tables: dict[str, Sum]


class Kept(_Strict):
    """An object of a backup, as it is stored and as it was before it was sealed. Sizes in bytes."""

    name: str
    key: str
    bytes: int
    sha256: str
    plain_bytes: int
    plain_sha256: str


class Chain(_Strict):
    """The ends of the logs' hash chains: how many, their bytes, and a sum over all of them; see `Sum`."""

    logs: int
    bytes: int
    checksum: str


class BackupManifest(_Strict):
    """A backup. `sealed_for`: public keys of those who can open it; none: it is plain. `made_at` is UTC.

    `revision` is the schema's, `dumped_by` the version of pg_dump, `signed_archive` the newest daily manifest's key.
    """

    format: int = 1
    name: str
    made_at: AwareDatetime
    sealed_for: tuple[str, ...]
    revision: str
    dumped_by: str
    objects: tuple[Kept, ...]
    databases: tuple[Dumped, ...]
    chain: Chain
    signed_archive: str | None

    def object_named(self, name: str) -> Kept:
        """Its object of that name.

        Raises:
            IntegrityError: it has none.
        """
        for one in self.objects:
            if one.name == name:
                return one
        raise IntegrityError(f"backup {self.name} has no {name}; take another one")

    @property
    def bytes(self) -> int:
        """Its size in the archive."""
        return sum(one.bytes for one in self.objects)


class SignedBackup(_Strict):
    """As it lies in the archive: the signature is over the manifest's canonical JSON."""

    manifest: BackupManifest
    public_key: str
    signature: str


@dataclass(frozen=True, slots=True)
class Found:
    """A backup in the archive; without a manifest that can be believed, `wrong` says why."""

    name: str
    manifest: BackupManifest | None
    wrong: str = ""


def put_manifest(archive: Archive, settings: Settings, manifest: BackupManifest) -> None:
    """Sign it and store it, last of all.

    Raises:
        IntegrityError: there is a backup of that name.
    """
    signed = SignedBackup(
        manifest=manifest, public_key=public_key(settings), signature=sign(settings, _canonical(manifest))
    )
    archive.settle()
    if not archive.put_once(f"{PREFIX}/{manifest.name}/{MANIFEST}", _canonical(signed)):
        raise IntegrityError(f"there is a backup {manifest.name} already; correct this machine's clock")
    archive.settle()


def backups(archive: Archive, signed_by: str) -> list[Found]:
    """Every backup, newest first, whose manifest the holder of that public key (hex) should have signed."""
    names = sorted({key.split("/")[1] for key in archive.keys(PREFIX) if key.count("/") >= 2}, reverse=True)
    return [_found(archive, name, signed_by) for name in names]


def backup_named(archive: Archive, name: str, signed_by: str) -> Found:
    """The backup of that name, or the newest if none is given.

    Raises:
        UsageError: there is none.
    """
    if not name:
        name = max((key.split("/")[1] for key in archive.keys(PREFIX) if key.endswith(f"/{MANIFEST}")), default="")
        if not name:
            raise UsageError(f"there is no backup in {archive.url}; `rustbucket backup create` makes one")
    elif not name.isascii() or "/" in name or archive.size(f"{PREFIX}/{name}/{MANIFEST}") is None:
        raise UsageError(f"no backup {name!r}; `rustbucket backup list` shows those there are")
    return _found(archive, name, signed_by)


def differing_objects(archive: Archive, manifest: BackupManifest) -> Iterator[str]:
    """Its objects that aren't there with their size, and how."""
    for one in manifest.objects:
        size = archive.size(one.key)
        if size is None:
            yield f"{one.key} is missing"
        elif size != one.bytes:
            yield f"{one.key} has {size:,} bytes, the manifest says {one.bytes:,}"


def newest_good(archive: Archive, settings: Settings) -> BackupManifest | None:
    """The newest backup whose manifest is this home's, and whose objects are all there; None: there is none."""
    for found in backups(archive, public_key(settings)):
        if found.manifest is not None and not any(differing_objects(archive, found.manifest)):
            return found.manifest
    return None


def missing_backup(archive: Archive, settings: Settings, now: datetime) -> str:
    """Why nothing may be deleted now; empty: a good backup younger than a day exists."""
    newest = newest_good(archive, settings)
    if newest is None:
        return "there is no good backup; `rustbucket backup create` makes one"
    if not now - FRESH < newest.made_at <= now + timedelta(minutes=5):
        return f"the newest good backup is of {newest.made_at:%Y-%m-%d %H:%M} UTC; `rustbucket backup create` makes one"
    return ""


def _found(archive: Archive, name: str, signed_by: str) -> Found:
    key = f"{PREFIX}/{name}/{MANIFEST}"
    if archive.size(key) is None:
        return Found(name, None, "it has no manifest: it was never finished")
    try:
        signed = SignedBackup.model_validate_json(archive.get(key))
    except ValidationError:
        return Found(name, None, f"{key} is no manifest, or a damaged one")
    if signed.public_key != signed_by:
        return Found(name, None, f"{key} was signed by another home, {signed.public_key[:80]}")
    if not is_signed(signed_by, signed.signature, _canonical(signed.manifest)):
        return Found(name, None, f"{key} was changed after it was signed")
    if signed.manifest.name != name:
        return Found(name, None, f"{key} is the manifest of another backup, {signed.manifest.name[:80]}")
    return Found(name, signed.manifest)


def _canonical(model: BaseModel) -> bytes:
    return json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode("ascii")
