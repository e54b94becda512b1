"""One address taken out of everything that was made of archived bytes: rows, digests, reports, frozen days.

Every table of ours is looked through, whatever it is, but those that hold nothing of attackers. Sums of rows stay.
The archived bytes themselves: `archive.redaction`. Backups can't be changed: those that hold it are named.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, text

from rustbucket_pipeline.model.address_text import AddressText, masked
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import sightings
from rustbucket_pipeline.storage.closed_days import FrozenDay, frozen_between, hold_day
from rustbucket_pipeline.storage.freezing import download, frozen_day, replace_frozen, scratch
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.signing import public_key
from rustbucket_pipeline.upkeep.backup_manifest import backups

SPARED = ("alembic_version", "rustbuckets", "source_files", "segments", "holds", "redactions", "closed_days")
"""Tables that hold nothing an attacker wrote."""

_OURS = "rustbucket_pipeline.upkeep"


@dataclass(frozen=True, slots=True)
class Holder:
    """A backup that still holds the address, and when it goes (UTC)."""

    backup: str
    expires: datetime


def purge_rows(engine: Engine, address: AddressText) -> dict[str, int]:
    """Take it out of every row; how many rows of which tables held it. Again changes nothing."""
    changed: dict[str, int] = {}
    with engine.begin() as connection:
        for table, columns in _columns(connection).items():
            rows = _purge_table(connection, table, columns, address)
            if rows:
                changed[table] = rows
        known = f"{len(address.canonical)} {address.canonical}"  # as analysis/sql/window_values.sql has it
        key = sha256(known.encode()).digest()[:16]
        if rows := connection.execute(delete(sightings).where(sightings.c.key == key)).rowcount:
            changed["sightings"] = rows
    return changed


def purge_frozen(engine: Engine, archive: Archive, settings: Settings, address: AddressText, now: datetime) -> int:
    """Take it out of every frozen day; how many days held it.

    Raises:
        IntegrityError: a day's object is missing or altered; the days before it are done.
    """
    with engine.connect() as connection:
        days = [day for day in frozen_between(connection, None, None) if day.object_key is not None]
    return sum(_purge_day(engine, archive, settings, day, address, now) for day in days)


def holders(archive: Archive, settings: Settings, now: datetime) -> list[Holder]:
    """The backups that were made before a purge, and so still hold what it purged."""
    return [
        Holder(found.name, found.manifest.made_at + settings.backups_keep)
        for found in backups(archive, public_key(settings))
        if found.manifest is not None and found.manifest.made_at <= now
    ]


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: str
    in_key: bool


def _columns(connection: Connection) -> dict[str, list[_Column]]:
    """Every column of text, by table."""
    found: dict[str, list[_Column]] = {}
    for row in connection.execute(load_sql(_OURS, "text_columns"), {"spared": list(SPARED)}):
        found.setdefault(row.table_name, []).append(_Column(row.column_name, row.type, row.in_key))
    return found


def _purge_table(connection: Connection, table: str, columns: list[_Column], address: AddressText) -> int:
    """Rows with it in their key go; in the others it is masked, and where it is the source there is none any more."""
    bound = {"pattern": f"(?i){address.pattern}"}
    keys = [column for column in columns if column.in_key]
    others = [column for column in columns if not column.in_key]
    rows = 0
    if keys:
        rows += connection.execute(text(f"DELETE FROM {table} WHERE {_any_holds(keys)}"), bound).rowcount  # noqa: S608
    if others:
        bound |= {"address": address.canonical} if any(column.name == "src_ip" for column in others) else {}
        for number, (pattern, mask) in enumerate(address.masks.items()):
            bound |= {f"pattern{number}": pattern, f"mask{number}": mask}
        new = ", ".join(f"{column.name} = {_masked(column, len(address.masks))}" for column in others)
        update = text(f"UPDATE {table} SET {new} WHERE {_any_holds(others)}")  # noqa: S608
        rows += connection.execute(update, bound).rowcount
    return rows


def _any_holds(columns: list[_Column]) -> str:
    return " OR ".join(f"{_as_text(column)} ~ :pattern" for column in columns)


def _as_text(column: _Column) -> str:
    return f"encode({column.name}, 'escape')" if column.type == "bytea" else f"cast({column.name} AS text)"


def _masked(column: _Column, spellings: int) -> str:
    """The column's value without the address, as SQL."""
    if column.name == "src_ip":
        return "CASE WHEN src_ip = :address THEN NULL ELSE src_ip END"
    value = _as_text(column)
    for number in range(spellings):
        value = f"regexp_replace({value}, :pattern{number}, :mask{number}, 'gi')"
    return f"decode({value}, 'escape')" if column.type == "bytea" else f"cast({value} AS {column.type})"


def _file_holds(archive: Archive, day: FrozenDay, address: AddressText, directory: Path) -> bool:
    """Whether the day's file may hold it: a longer address that begins like it counts too."""
    from rustbucket_pipeline.storage.parquet_rows import any_text  # and with it pyarrow

    return any_text(download(archive, day, directory), address.spellings)


def _purge_day(
    engine: Engine, archive: Archive, settings: Settings, day: FrozenDay, address: AddressText, now: datetime
) -> bool:
    pattern = address.in_text()

    def change(row: dict[str, object]) -> dict[str, object]:
        new = {name: pattern.sub(masked, held) if isinstance(held, str) else held for name, held in row.items()}
        return {**new, "src_ip": None} if row["src_ip"] == address.canonical else new

    with scratch(settings) as directory:
        with engine.begin() as connection:
            hold_day(connection, day.day)
            before = frozen_day(connection, day.day)
            if before.object_key is None or not _file_holds(archive, before, address, directory):
                return False
            new = replace_frozen(connection, archive, before, directory, change, now)
        if new.object_key == before.object_key:
            return False  # it held longer addresses only
        archive.delete(before.object_key)
    return True
