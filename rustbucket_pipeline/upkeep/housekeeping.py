"""`housekeeping` and `weekly_cleanup`: what is older than the settings keep it goes, and what nothing refers to.

Before anything is deleted, a backup younger than a day whose manifest checks out must exist, or both refuse. A dry run
says what would go, and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

from sqlalchemy import select

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.storage.closed_days import window_of
from rustbucket_pipeline.storage.freezing import PREFIX as FROZEN
from rustbucket_pipeline.storage.retention_tables import closed_days
from rustbucket_pipeline.upkeep.backup_manifest import missing_backup
from rustbucket_pipeline.upkeep.retention_backups import delete_backup, old_backups, unfinished_backups
from rustbucket_pipeline.upkeep.retention_days import DayPlan, expire_day, freeze, held_rustbuckets, plan_days
from rustbucket_pipeline.upkeep.retention_fleet import forget, never_approved
from rustbucket_pipeline.upkeep.retention_raw import OldRaw, delete_raw, old_raw
from rustbucket_pipeline.upkeep.retention_rules import Old, delete_rows, old_rows, orphaned_rows
from rustbucket_pipeline.upkeep.task import Bench, Figure, Task, Told

LEFT_BEHIND = timedelta(days=2)
"""How long ago an object that no row names must have been written to be taken for a leftover."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is old enough now."""

    days: DayPlan
    rows: tuple[Old, ...]
    raw: OldRaw
    review: tuple[str, ...]
    backups: tuple[str, ...]
    held: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.days.empty and not (self.rows or self.raw.segments or self.review or self.backups)

    @property
    def figures(self) -> dict[str, Figure]:
        """How much it is, by class."""
        return {
            "days_frozen": len(self.days.freeze),
            "days_expired": len(self.days.expire),
            "days_waiting": len(self.days.waiting),
            "rows": sum(old.rows for old in self.rows),
            "segments": self.raw.segments,
            "segment_bytes": self.raw.bytes,
            "rustbuckets": len(self.review),
            "backups": len(self.backups),
            "rustbuckets_held": len(self.held),
        }

    def lines(self, bench: Bench) -> tuple[str, ...]:
        """What and why, for people."""
        keep = bench.settings
        said = [
            *(f"freeze {day}: rows older than {keep.events_keep_days} days" for day in self.days.freeze),
            *(f"expire {one.day}: frozen rows older than {keep.frozen_keep_days} days" for one in self.days.expire),
            *(f"{old.what}: {old.rows:,} rows of {old.table}, {old.why}" for old in self.rows),
            *(f"rustbucket {one}: not approved within {keep.review_keep_days} days" for one in self.review),
            *(f"backup {one}: older than {keep.backups_keep_days} days" for one in self.backups),
        ]
        if self.raw.segments:
            size = f"{self.raw.segments:,} archived segments of {self.raw.bytes:,} bytes"
            said.append(f"{size}: older than {keep.raw_keep_days} days")
        said += [f"kept: {why}" for why in self.days.waiting]
        if self.held:
            said.append(f"kept: all of {', '.join(self.held)}, by legal hold ({self.raw.held:,} old segments)")
        return tuple(said)


def due_now(bench: Bench) -> Due:
    """What is old enough, by every class."""
    with bench.engine.connect() as connection:
        days = plan_days(connection, bench.settings, bench.now)
        rows = tuple(old_rows(connection, bench.settings, bench.now))
        review = tuple(never_approved(connection, bench.settings, bench.now))
        held = tuple(sorted(held_rustbuckets(connection)))
    backups = tuple(old_backups(bench.archive, bench.settings, bench.now))
    return Due(days, rows, old_raw(bench.engine, _raw_before(bench)), review, backups, held)


def keep_house(bench: Bench) -> Told:
    """Do it: days first, then rows, then the bytes these were made of."""
    due = due_now(bench)
    if due.empty:
        return Told("nothing is older than it may be", due.figures, due.lines(bench))
    if why := missing_backup(bench.archive, bench.settings, bench.now):
        return Told(f"nothing was deleted: {why}", due.figures, due.lines(bench), ok=False)
    given = bench.engine, bench.archive, bench.settings
    troubles = _close(bench, "frozen", {day: partial(freeze, *given, day, bench.now) for day in due.days.freeze})
    with bench.engine.connect() as connection:
        days = plan_days(connection, bench.settings, bench.now)  # what was just frozen may be old enough to expire
    expiring = {frozen.day: partial(expire_day, *given, frozen, bench.now) for frozen in days.expire}
    troubles += _close(bench, "expired", expiring)
    for old in due.rows:
        delete_rows(bench.engine, old, bench.say)
    with bench.engine.begin() as connection:
        forget(connection, list(due.review), bench.now)
    more = due.days.more or days.more
    gone = OldRaw(0, 0, due.raw.held)
    if not troubles and not more:  # else rows would outlive what they were made of
        gone = delete_raw(bench.engine, bench.archive, _raw_before(bench), bench.now)
    for name in due.backups:
        delete_backup(bench.archive, name)
    figures = {**due.figures, "days_expired": len(days.expire), "segments": gone.segments, "segment_bytes": gone.bytes}
    summary = f"{len(due.days.freeze)} days frozen, {len(days.expire)} expired, {figures['rows']:,} rows and "
    summary += f"{gone.segments:,} segments deleted"
    return Told(summary, {**figures, "more_to_come": more}, (*troubles, *due.lines(bench)), ok=not troubles)


def _close(bench: Bench, state: str, days: Mapping[date, Callable[[], int]]) -> list[str]:
    """Bring days into that state; what went wrong: one day's trouble stops no other, and it stays as it is."""
    troubles: list[str] = []
    for day, close in days.items():
        try:
            bench.say(f"{day} is {state}: {close():,} rows")
        except IntegrityError as error:
            troubles.append(f"{day} isn't {state}: {error}")
    return troubles


def _would_keep_house(bench: Bench) -> Told:
    due = due_now(bench)
    refusal = "" if due.empty else missing_backup(bench.archive, bench.settings, bench.now)
    would = f"would refuse: {refusal}" if refusal else "nothing was deleted: a dry run"
    return Told(would, due.figures, due.lines(bench))


def _raw_before(bench: Bench) -> datetime:
    today = bench.now.astimezone(UTC).date()
    return window_of(today - timedelta(days=bench.settings.raw_keep_days)).start


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What nothing refers to: rows, objects of rows that no day names, backups that were never finished."""

    rows: tuple[Old, ...]
    objects: tuple[str, ...]
    backups: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """What and why, for people."""
        return (
            *(f"{old.what}: {old.rows:,} rows of {old.table}, {old.why}" for old in self.rows),
            *(f"object {key}: no frozen day names it" for key in self.objects),
            *(f"backup {name}: never finished" for name in self.backups),
        )

    @property
    def figures(self) -> dict[str, Figure]:
        """How much it is."""
        return {
            "rows": sum(old.rows for old in self.rows),
            "objects": len(self.objects),
            "backups": len(self.backups),
        }


def leftovers(bench: Bench) -> Leftovers:
    """What may go."""
    with bench.engine.connect() as connection:
        rows = tuple(orphaned_rows(connection))
        named = set(connection.execute(select(closed_days.c.object_key)).scalars())
    before = bench.now - LEFT_BEHIND
    objects = [one.key for one in bench.archive.stored(FROZEN) if one.key not in named and one.modified < before]
    return Leftovers(rows, tuple(sorted(objects)), tuple(unfinished_backups(bench.archive, bench.now)))


def clean_up(bench: Bench) -> Told:
    """Delete it."""
    left = leftovers(bench)
    if not left.lines:
        return Told("nothing is left over", left.figures)
    if why := missing_backup(bench.archive, bench.settings, bench.now):
        return Told(f"nothing was deleted: {why}", left.figures, left.lines, ok=False)
    for old in left.rows:
        delete_rows(bench.engine, old, bench.say)
    for key in left.objects:
        bench.archive.delete(key)
    for name in left.backups:
        delete_backup(bench.archive, name)
    return Told(f"{len(left.lines)} kinds of leftovers deleted", left.figures, left.lines)


def _would_clean_up(bench: Bench) -> Told:
    left = leftovers(bench)
    return Told("nothing was deleted: a dry run", left.figures, left.lines)


HOUSEKEEPING = Task(
    name="housekeeping",
    what="Freeze and delete what is older than the settings keep it, if there is a good backup of today.",
    cron="30 2 * * *",
    every=timedelta(days=1),
    run=keep_house,
    dry_run=_would_keep_house,
    deps=("database_backup", "parsed_logs"),
    kinds=frozenset({"postgres", "s3", "parquet"}),
)

WEEKLY_CLEANUP = Task(
    name="weekly_cleanup",
    what="Delete what nothing refers to any more: rows, objects of rows, backups that were never finished.",
    cron="0 4 * * 0",
    every=timedelta(days=7),
    run=clean_up,
    dry_run=_would_clean_up,
    deps=("housekeeping",),
    kinds=frozenset({"postgres", "s3"}),
)
