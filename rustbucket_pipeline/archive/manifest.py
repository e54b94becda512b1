"""Daily manifests: the heads of the logs' hash chains, signed by the home and put into the archive once, for good.

A manifest names the logs that grew since the one before, which it names by hash: all of them together hold every head.
So whoever can write the database, or the store, or both, but not the home, can't change history unseen.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import replace_text
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.signing import is_signed, public_key, sign

PREFIX = "manifests"
NEWEST_FILE = "newest-manifest.json"
"""Kept in the home: without it, the newest manifests could be taken out of the store unseen."""

OVERLAP = timedelta(days=2)
"""How much longer ago than the last manifest a log may have grown and still be named: a pull commits after it began."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Strict):
    """How far a log was archived: its first `bytes` bytes, by the hash of the chain over their segments."""

    log_id: int
    rustbucket: str
    key: str
    bytes: int
    chain_sha256: str


class Named(_Strict):
    """A manifest by its object key and the SHA-256 of its bytes."""

    key: str
    sha256: str


class Manifest(_Strict):
    """One day's heads. `made_at` is UTC; `previous` is None for the first."""

    format: int = 1
    day: date
    made_at: AwareDatetime
    previous: Named | None
    logs: tuple[Head, ...]


class SignedManifest(_Strict):
    """As it lies in the archive: the signature is over the manifest's canonical JSON."""

    manifest: Manifest
    public_key: str
    signature: str

    def signed_by(self, key: str) -> bool:
        """Whether the holder of that public key (hex) signed exactly this."""
        return self.public_key == key and is_signed(key, self.signature, canonical(self.manifest))


@dataclass(frozen=True, slots=True)
class MadeManifest:
    """The day's manifest: where it is, its hash, how many logs it names, and whether it was made just now."""

    key: str
    sha256: str
    logs: int
    new: bool


def make_manifest(engine: Engine, archive: Archive, settings: Settings, now: datetime) -> MadeManifest:
    """Make the manifest of this UTC day unless there is one already: it is never overwritten.

    Raises:
        IntegrityError: something that isn't ours lies in its place, or the clock went back by a day.
    """
    key = key_of(now.astimezone(UTC).date())
    known = newest_known(settings)
    if known is not None and known.key > key:
        raise IntegrityError(
            f"{known.key} was made already, so it can't be {now:%Y-%m-%d}; correct this machine's clock"
        )
    own = public_key(settings)
    with engine.connect() as connection:
        previous, since = _newest_before(archive, key, own)
        logs = tuple(_heads(connection, since))
    body = Manifest(day=now.astimezone(UTC).date(), made_at=now, previous=previous, logs=logs)
    signature = sign(settings, canonical(body))
    data = canonical(SignedManifest(manifest=body, public_key=own, signature=signature))
    new = archive.put_once(key, data)
    archive.settle()
    if not new:
        data = archive.get(key)
        found = read_manifest(data)
        if found is None or not found.signed_by(own):
            raise IntegrityError(f"{key} in {archive.url} isn't this home's; find out who wrote it, then move it away")
        logs = found.manifest.logs
    named = Named(key=key, sha256=sha256(data).hexdigest())
    replace_text(settings.home / NEWEST_FILE, canonical(named).decode() + "\n")
    return MadeManifest(key, named.sha256, len(logs), new)


def manifest_keys(archive: Archive) -> list[str]:
    """Every object in the manifests' place, oldest first."""
    return sorted(archive.keys(PREFIX))


def read_manifest(data: bytes) -> SignedManifest | None:
    """The manifest these bytes are, or None if they are none."""
    try:
        return SignedManifest.model_validate_json(data)
    except ValidationError:
        return None


def newest_known(settings: Settings) -> Named | None:
    """The newest manifest this home made; None when it made none.

    Raises:
        IntegrityError: the home's note of it was damaged.
    """
    path = settings.home / NEWEST_FILE
    try:
        return Named.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise IntegrityError(f"{path} can't be read; put it back from a backup of the home") from error


def key_of(day: date) -> str:
    """Where a day's manifest lies."""
    return f"{PREFIX}/{day:%Y/%m/%d}.json"


def canonical(model: BaseModel) -> bytes:
    """The one way in which it is written: sorted names, no spaces, ASCII."""
    return json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode("ascii")


def _newest_before(archive: Archive, key: str, own: str) -> tuple[Named | None, datetime | None]:
    """This home's newest manifest before that key, and since when logs count as grown; None: all of them do."""
    for earlier in reversed([one for one in manifest_keys(archive) if one < key]):
        data = archive.get(earlier)
        found = read_manifest(data)
        if found is not None and found.signed_by(own):
            return Named(key=earlier, sha256=sha256(data).hexdigest()), found.manifest.made_at - OVERLAP
    return None, None


def _heads(connection: Connection, since: datetime | None) -> Iterator[Head]:
    rows = connection.execute(load_sql("rustbucket_pipeline.archive", "chain_heads"), {"since": since})
    for row in rows:
        yield Head(
            log_id=row.log_id,
            rustbucket=row.rustbucket_id,
            key=row.key,
            bytes=row.byte_end,
            chain_sha256=row.chain_sha256,
        )
