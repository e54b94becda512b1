"""The fleet that is simulated: which rustbuckets there are, how each logs, and by which road its log is fetched."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from rustbucket_pipeline.demo.dialects import DIALECTS, Dialect

FIRST_NUMBER = 100001

Road = Literal["files", "http"]


@dataclass(frozen=True, slots=True)
class SimulatedRustbucket:
    """One honeypot of the fleet. `token`: what its HTTP endpoint asks for; `wrapped`: it answers `{"updates": […]}`."""

    id: str
    name: str
    dialect: Dialect
    road: Road
    ip_address: str
    token: str
    wrapped: bool


_ROLES: tuple[tuple[str, str, Road], ...] = (
    ("edge-frankfurt", "json", "files"),
    ("edge-oslo", "json", "http"),
    ("lab-madrid", "kv", "files"),
    ("attic-vienna", "classic", "files"),
    ("office-lisbon", "proto", "files"),
    ("edge-dublin", "json", "http"),
)
"""The most telling first: a smaller fleet keeps the beginning, a larger one goes on with JSON files."""


def cast_fleet(size: int, seed: int) -> tuple[SimulatedRustbucket, ...]:
    """`size` rustbuckets, `BKT100001` and up."""
    return tuple(_member(index, seed) for index in range(size))


def instance_name(seed: int, rustbucket_id: str, boot: int) -> str:
    """The random name a rustbucket gives itself at its n-th start; the uploader's folder has the same."""
    rng = Random(f"{seed}/{rustbucket_id}/instance/{boot}")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "rustbucket-" + "".join(rng.choice(letters) for _ in range(8))


def _member(index: int, seed: int) -> SimulatedRustbucket:
    name, dialect, road = _ROLES[index] if index < len(_ROLES) else (f"edge-{index + 1:03}", "json", "files")
    rustbucket_id = f"BKT{FIRST_NUMBER + index}"
    token = f"{Random(f'{seed}/{rustbucket_id}/token').getrandbits(128):032x}"
    address = f"203.0.113.{200 + index}" if index < 50 else f"2001:db8:b::{index:x}"
    return SimulatedRustbucket(rustbucket_id, name, DIALECTS[dialect], road, address, token, wrapped=index == 5)
