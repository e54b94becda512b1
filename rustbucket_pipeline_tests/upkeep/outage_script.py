"""Scripts of outages, drawn at random: what goes wrong with whom, from when to when. Nothing here knows our code.

Two weeks of a fleet. Some rustbuckets upload only, the others answer polls, too. What people must hear of follows from
the script alone: of each cause once that it began, and once that it is over.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
LENGTH = timedelta(days=14)
UPLOADING, ANSWERING = 4, 4
"""How many rustbuckets only upload, and how many answer polls besides."""

APART = 14 * HOUR
"""What is drawn for one rustbucket lies so far apart that each is a cause of its own; so does what befalls us all."""

LAST = LENGTH - timedelta(days=2)


@dataclass(frozen=True)
class Outage:
    """What is wrong with whom (None: with database or store), from when to when."""

    what: str
    whom: str | None
    begins: datetime
    ends: datetime

    def lasts(self, at: datetime) -> bool:
        return self.begins <= at < self.ends


@dataclass(frozen=True)
class Cause:
    """What people must hear of: a kind of alert about a subject, and between which moments it begins and is over."""

    kind: str
    subject: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Script:
    uploading: tuple[str, ...]
    answering: tuple[str, ...]
    outages: tuple[Outage, ...]

    def wrong(self, what: str, whom: str | None, at: datetime) -> bool:
        return any(one.what == what and one.whom == whom and one.lasts(at) for one in self.outages)

    def uploaded_at(self, whom: str, hour: datetime, usual: timedelta) -> datetime:
        """When the file of that hour is at its source: usually some minutes after the hour."""
        usually = hour + HOUR + usual
        for one in self.outages:
            if one.whom == whom and one.what in {"silent", "uploads"} and one.lasts(usually):
                return one.ends
            if one.whom == whom and one.what == "late" and hour == one.begins:
                return one.ends
        return usually


MEANS = {
    "silent": ("silent_sensor", "late_data"),
    "uploads": ("uploads_stopped", "late_data"),
    "late": ("late_data",),
    "slow": ("poll_failed",),
    "flapping": ("poll_failed",),
    "decoy": ("decoy_answered",),
    "skewed": ("clock_skew",),
    "database": ("database_unavailable",),
    "store": ("store_unavailable",),
}
"""What people must hear of each: the logs that a silent rustbucket sends in the end come after their reports, too."""

HOURS = {"silent": (16, 30), "uploads": (16, 30), "late": (12, 20), "slow": (3, 30), "flapping": (4, 12)}
HOURS |= {"decoy": (6, 24), "skewed": (5, 20), "database": (1, 5), "store": (3, 10)}
"""How long each lasts. A failed upload is tried again after 24 hours: then `silent` is no more than late."""


def drawn(seed: int) -> Script:
    """A script, the same for the same seed."""
    chance = random.Random(seed)
    uploading = tuple(f"BKT{100001 + number}" for number in range(UPLOADING))
    answering = tuple(f"BKT{100001 + UPLOADING + number}" for number in range(ANSWERING))
    ours = list(_apart(chance, None, ["database", "store"], 3))
    outages = [*ours]
    for whom in uploading:
        outages += _clear_of(ours, _apart(chance, whom, ["silent", "late", "skewed"], 4))
    for whom in answering:
        outages += _clear_of(ours, _apart(chance, whom, ["uploads", "slow", "flapping", "decoy", "skewed"], 4))
    return Script(uploading, answering, tuple(sorted(outages, key=lambda one: one.begins)))


def causes_of(script: Script) -> list[Cause]:
    """Everything people must hear of."""
    return [
        Cause(kind, one.whom or {"database": "database", "store": "archive"}[one.what], one.begins, one.ends)
        for one in script.outages
        for kind in MEANS[one.what]
    ]


def _apart(chance: random.Random, whom: str | None, what: list[str], most: int) -> Iterator[Outage]:
    """Up to so many outages, one after the other."""
    at = START + chance.randint(20, 60) * HOUR
    for _ in range(most):
        kind = chance.choice(what)
        ends = at + chance.randint(*HOURS[kind]) * HOUR
        if ends > START + LAST:
            return
        yield Outage(kind, whom, at, ends)
        at = ends + APART + chance.randint(0, 60) * HOUR


def _clear_of(ours: list[Outage], theirs: Iterator[Outage]) -> Iterator[Outage]:
    """Those that neither begin nor end while nobody could see it, nor just before or after."""
    for one in theirs:
        near = (abs(edge - own) for own in _moments(ours) for edge in (one.begins, one.ends))
        inside = any(own.begins <= edge < own.ends for own in ours for edge in (one.begins, one.ends))
        if min(near, default=LENGTH) > APART and not inside:
            yield one


def _moments(outages: list[Outage]) -> Iterator[datetime]:
    for one in outages:
        yield from (one.begins, one.ends)
