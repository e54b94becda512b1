"""Who comes how often, and when: the one table of the play. An attacker is one line here.

A rustbucket's hour is a function of the seed, the rustbucket and the hour, so the live fleet goes on where the
simulated past ended, and every call gives the same visits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Literal

from rustbucket_pipeline.demo import attackers, campaigns
from rustbucket_pipeline.demo.acts import Request, Visit, microseconds
from rustbucket_pipeline.demo.scene import HOUR_US, Scene

Phase = Literal["history", "window", "newest"]
"""Before the window, in it, or in its last four hours (and live, after them)."""

_QUIET_END_US = 90_000_000
"""Nobody comes in an hour's last minute and a half, so a visit's records stay in the hour it began in."""


@dataclass(frozen=True, slots=True)
class Part:
    """An attacker's part: mean visits per rustbucket and full hour, and the phases it appears in."""

    act: Callable[[Scene], Visit]
    visits: float
    phases: tuple[Phase, ...] = ("history", "window", "newest")
    only_ssh: bool = False


PARTS = (
    Part(attackers.brute_forcer, 75),
    Part(attackers.turned_away, 3, only_ssh=True),
    Part(attackers.ftp_visitor, 4),
    Part(attackers.bot, 8),
    Part(attackers.key_installer, 1.2),
    Part(attackers.scanner, 12),
    Part(attackers.prober, 8),
    Part(attackers.relay_tester, 4),
    Part(attackers.curious, 0.7, only_ssh=True),
    Part(campaigns.hostile, 3, ("window", "newest")),
    Part(campaigns.injector, 1.5, ("window", "newest")),
    Part(campaigns.forger, 0.8, ("window", "newest")),
    Part(campaigns.miner, 5, ("newest",)),
)

_LIGHT = 0.06
"""How much of a full hour's traffic an hour of the history has."""

_WITHOUT_SSH = 0.35
"""A text-era rustbucket has fewer doors and gets that much of the brute force: each FTP try is many records."""


def visits_in(seed: int, rustbucket_id: str, hour: datetime, phase: Phase, *, has_ssh: bool) -> list[Visit]:
    """Every visit to that rustbucket which begins in that hour (UTC), in order of time."""
    rng = Random(f"{seed}/{rustbucket_id}/{hour.isoformat()}")
    start = microseconds(hour)
    first = _punctual(Scene(start + rng.randint(4_000_000, 12_000_000), has_ssh, rng))
    visits = [first, *_parts(rng, start, phase, has_ssh=has_ssh)]
    return sorted(visits, key=lambda visit: visit.at)


def _parts(rng: Random, start: int, phase: Phase, *, has_ssh: bool) -> Iterator[Visit]:
    for part in PARTS:
        if phase not in part.phases or (part.only_ssh and not has_ssh):
            continue
        mean = part.visits * (_LIGHT if phase == "history" else 1) * (1 if has_ssh else _WITHOUT_SSH)
        if phase == "newest" and part.act is campaigns.miner:
            mean = max(mean, 1)
        for _ in range(int(mean) + (rng.random() < mean % 1)):
            at = start + rng.randrange(15_000_000, HOUR_US - _QUIET_END_US)
            yield part.act(Scene(at, has_ssh, rng))


def _punctual(scene: Scene) -> Visit:
    """A scan in the first seconds of every hour: no rustbucket is without a record, so none seems missing."""
    return attackers.visit(scene, "HTTP", attackers.SCANNING[:1], (Request("GET", "/", "Mozilla/5.0 zgrab/0.x"),))
