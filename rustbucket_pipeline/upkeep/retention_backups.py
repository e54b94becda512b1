"""Backups as they grow old: they go after `RUSTBUCKET_BACKUPS_KEEP_DAYS`; the newest good one stays in any case."""

from datetime import datetime, timedelta

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.signing import public_key
from rustbucket_pipeline.upkeep.backup_manifest import MANIFEST, PREFIX, backups, newest_good

UNFINISHED = timedelta(days=1)
"""How long a backup without a manifest may still be in the making."""


def old_backups(archive: Archive, settings: Settings, now: datetime) -> list[str]:
    """Names of the backups of this home that are old enough; another home's, and what can't be read, stay."""
    newest = newest_good(archive, settings)
    return [
        found.name
        for found in backups(archive, public_key(settings))
        if found.manifest is not None
        and newest is not None
        and found.name != newest.name
        and found.manifest.made_at < now - settings.backups_keep
    ]


def unfinished_backups(archive: Archive, now: datetime) -> list[str]:
    """Names of backups that were begun and never finished."""
    newest: dict[str, datetime] = {}
    finished: set[str] = set()
    for stored in archive.stored(PREFIX):
        name = stored.key.split("/")[1]
        newest[name] = max(stored.modified, newest.get(name, stored.modified))
        if stored.key == f"{PREFIX}/{name}/{MANIFEST}":
            finished.add(name)
    return sorted(name for name, at in newest.items() if name not in finished and at < now - UNFINISHED)


def delete_backup(archive: Archive, name: str) -> None:
    """Delete a backup, its manifest first: half of one is never taken for a good one."""
    archive.delete(f"{PREFIX}/{name}/{MANIFEST}")
    for key in list(archive.keys(f"{PREFIX}/{name}")):
        archive.delete(key)
