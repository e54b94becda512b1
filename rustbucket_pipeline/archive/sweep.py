"""Objects that no row names: found, told apart from those that a pull is about to name, and swept by age.

A pull that was killed leaves them; the next one of the same bytes takes them up again. Nothing refers to them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select

from rustbucket_pipeline.archive.names import SEGMENTS
from rustbucket_pipeline.storage.objects import Archive, Stored
from rustbucket_pipeline.storage.postgres import advisory_lock
from rustbucket_pipeline.storage.tables import rustbuckets, segments

_LISTED = 1000
"""Strangers' objects taken at a time."""


@dataclass(frozen=True, slots=True)
class Swept:
    """Which orphans were removed, or would be, and their size in bytes."""

    keys: tuple[str, ...]
    bytes: int


def sweep(engine: Engine, archive: Archive, older_than: timedelta, now: datetime, *, dry_run: bool) -> Swept:
    """Remove every orphan that the store says was written longer ago than that; `dry_run` only finds them.

    Safe beside pulls: each orphan is looked up again, and removed, while no pull of its rustbucket can run.
    """
    keys: list[str] = []
    size = 0
    for rustbucket_id, suspects in suspects_of(engine, archive, (), lambda one: one.modified <= now - older_than):
        with engine.begin() as connection:
            for orphan in orphans_among(connection, rustbucket_id, suspects):
                if not dry_run:
                    archive.delete(orphan.key)
                keys.append(orphan.key)
                size += orphan.size
    return Swept(tuple(keys), size)


def suspects_of(
    engine: Engine, archive: Archive, chosen: Sequence[str], wanted: Callable[[Stored], bool]
) -> Iterator[tuple[str, list[Stored]]]:
    """By rustbucket, the wanted objects that no row names yet. None chosen: all rustbuckets, and unknown ones."""
    with engine.connect() as connection:
        known = set(connection.execute(select(rustbuckets.c.id)).scalars())
    for rustbucket_id in sorted(chosen or known):
        with engine.connect() as connection:
            query = select(segments.c.object_key).where(segments.c.rustbucket_id == rustbucket_id)
            named = set(connection.execute(query).scalars())
        listed = archive.stored(f"{SEGMENTS}/{rustbucket_id}")
        suspects = [one for one in listed if one.key not in named and wanted(one)]
        if suspects:
            yield rustbucket_id, suspects
    if not chosen:
        yield from _strangers(archive, known, wanted)


def orphans_among(connection: Connection, rustbucket_id: str, suspects: Sequence[Stored]) -> list[Stored]:
    """Those that really are orphans; until the transaction ends, no pull of that rustbucket begins or goes on."""
    advisory_lock(connection, f"pull {rustbucket_id}")
    keys = [suspect.key for suspect in suspects]
    named = set(connection.execute(select(segments.c.object_key).where(segments.c.object_key.in_(keys))).scalars())
    return [suspect for suspect in suspects if suspect.key not in named]


def _strangers(
    archive: Archive, known: set[str], wanted: Callable[[Stored], bool]
) -> Iterator[tuple[str, list[Stored]]]:
    """Objects below names that are no rustbucket's."""
    found: dict[str, list[Stored]] = {}
    for one in archive.stored(SEGMENTS):
        owner = one.key.split("/")[1]
        if owner not in known and wanted(one):
            found.setdefault(owner, []).append(one)
            if len(found[owner]) == _LISTED:
                yield owner, found.pop(owner)
    yield from found.items()
