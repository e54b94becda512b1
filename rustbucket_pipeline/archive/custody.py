"""The ledger against the signed manifests: whether the history the database tells is the one that was signed.

Only rows and manifests are compared here; whether the objects hold what the rows say is `verify`'s business.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, text

from rustbucket_pipeline.archive.faults import Fault, Problem
from rustbucket_pipeline.archive.manifest import (
    OVERLAP,
    Manifest,
    Named,
    key_of,
    manifest_keys,
    newest_known,
    read_manifest,
)
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import copy_rows, load_sql
from rustbucket_pipeline.storage.signing import public_key

_PACKAGE = "rustbucket_pipeline.archive"
_MAKE_TABLE = text(
    "CREATE TEMPORARY TABLE signed_heads (manifest text, log_id bigint, rustbucket_id text, file_key text,"
    " bytes bigint, chain_sha256 text) ON COMMIT DROP"
)
_COLUMNS = ("manifest", "log_id", "rustbucket_id", "file_key", "bytes", "chain_sha256")


@dataclass(slots=True)
class Custody:
    """What comparing found: how many manifests are good, when the newest of them was made, and what is wrong."""

    manifests: int = 0
    newest: datetime | None = None
    problems: list[Problem] = field(default_factory=list[Problem])


def compare(connection: Connection, archive: Archive, settings: Settings, rustbuckets: Sequence[str]) -> Custody:
    """Every manifest on its own and with the one before it, then every head they name with the ledger.

    Heads are compared of these rustbuckets only; of all when none is named. Uses a temporary table in the
    connection's transaction.
    """
    custody = Custody()
    connection.execute(_MAKE_TABLE)
    previous: Named | None = None
    known = newest_known(settings)
    for key in manifest_keys(archive):
        data = archive.get(key)
        named = Named(key=key, sha256=sha256(data).hexdigest())
        manifest = _checked(custody, key, data, public_key(settings))
        if manifest is None:
            continue
        if manifest.previous != previous:
            custody.problems.append(Problem(Fault.MANIFEST, key, _gap(manifest.previous, previous)))
        copy_rows(connection, "signed_heads", _COLUMNS, _rows(key, manifest, rustbuckets))
        previous, custody.newest = named, manifest.made_at
        known = None if known == named else known
        custody.manifests += 1
    if known is not None:
        custody.problems.append(Problem(Fault.MANIFEST, known.key, "was made by this home, and is gone or not good"))
    custody.problems += _differences(connection)
    if custody.newest is not None:
        custody.problems += _unsigned(connection, custody.newest, rustbuckets)
    return custody


def _checked(custody: Custody, key: str, data: bytes, own: str) -> Manifest | None:
    """The manifest, if this home signed it and it lies where it belongs."""
    found = read_manifest(data)
    if found is None:
        custody.problems.append(Problem(Fault.MANIFEST, key, "is no manifest, or a damaged one"))
    elif found.public_key != own:
        custody.problems.append(Problem(Fault.MANIFEST, key, f"was signed by another key, {found.public_key[:80]}"))
    elif not found.signed_by(own):
        custody.problems.append(Problem(Fault.MANIFEST, key, "was changed after it was signed"))
    elif key != key_of(found.manifest.day):
        custody.problems.append(Problem(Fault.MANIFEST, key, f"is the manifest of {found.manifest.day}"))
    else:
        return found.manifest
    return None


def _gap(named: Named | None, found: Named | None) -> str:
    if named is None:
        return "says it is the first, but there are earlier ones"
    if found is None or found.key != named.key:
        return f"follows {named.key}, which is gone or not good any more"
    return f"follows {named.key} with other bytes than are there now"


def _rows(key: str, manifest: Manifest, rustbuckets: Sequence[str]) -> Iterator[tuple[object, ...]]:
    chosen = frozenset(rustbuckets)
    for head in manifest.logs:
        if not chosen or head.rustbucket in chosen:
            yield key, head.log_id, head.rustbucket, head.key, head.bytes, head.chain_sha256


def _differences(connection: Connection) -> Iterator[Problem]:
    for row in connection.execute(load_sql(_PACKAGE, "rewritten_logs")):
        detail = f"{row.manifest} signed {row.bytes:,} bytes of {row.file_key!r}; the ledger has {row.instead}"
        yield Problem(Fault.REWRITTEN, f"log {row.log_id}", detail, row.rustbucket_id)


def _unsigned(connection: Connection, newest: datetime, rustbuckets: Sequence[str]) -> Iterator[Problem]:
    query = load_sql(_PACKAGE, "unsigned_logs")
    for row in connection.execute(query, {"before": newest - OVERLAP, "rustbuckets": list(rustbuckets)}):
        detail = f"{row.segments} segments of {row.key!r}, said to be pulled by {row.pulled_at:%Y-%m-%d %H:%M} UTC"
        yield Problem(Fault.UNSIGNED, f"log {row.log_id}", f"{detail}, are in no manifest", row.rustbucket_id)
