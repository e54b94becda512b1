"""Health of backups: whether there is one to go back to, and who can open it. Their own tasks alert."""

from collections.abc import Iterator
from datetime import timedelta

from rustbucket_pipeline.upkeep.backup import backup_warning
from rustbucket_pipeline.upkeep.backup_manifest import newest_good
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

OLD = timedelta(days=2, hours=2)
"""Two daily backups that failed."""


def look_at_backups(bench: Bench) -> Iterator[Finding]:
    """The newest good backup's age, and what is to be said of how backups are sealed."""
    newest = newest_good(bench.archive, bench.settings)
    if newest is None:
        yield Finding("backups", "newest backup", Health.WARNING, "there is none", "`rustbucket backup create`")
    else:
        health = Health.WARNING if bench.now - newest.made_at > OLD else Health.OK
        do = "" if health is Health.OK else "`rustbucket jobs show database_backup` says why"
        yield Finding("backups", "newest backup", health, f"made {newest.made_at:%Y-%m-%d %H:%M} UTC", do)
    if warning := backup_warning(bench.settings):
        yield Finding("backups", "sealing", Health.WARNING, warning)
