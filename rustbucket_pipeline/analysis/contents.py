"""What a window's digest holds: the shape in which it is stored, hashed and read back. Nothing is computed here.

Texts in it are as attackers wrote them, cut to `LONGEST_TEXT`; whoever shows them escapes them. Times are UTC.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

LONGEST_TEXT = 300
"""Characters of an attacker's text kept in the digest; the row keeps all of it."""


class Part(BaseModel):
    """Base of every part: unchangeable, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Counted(Part):
    """A value attackers used, how often and where. `second` is a credential's password, `length` the whole value's."""

    value: str
    second: str | None = None
    length: int
    events: int
    sources: int
    rustbuckets: int
    first: datetime
    last: datetime
    is_new: bool


class Listing(Part):
    """The busiest known and the busiest new values of a kind, and how much isn't shown."""

    rows: tuple[Counted, ...] = ()
    hidden_values: int = 0
    hidden_new: int = 0
    hidden_events: int = 0


class Indicator(Part):
    """`I…`: `ip` is the peer of a recorded connection; `url` and `host` were only named in attackers' text.

    `rows` are the ids of its first events.
    """

    id: str
    type: str
    value: str
    length: int
    events: int
    rustbuckets: int
    first_seen: datetime = Field(validation_alias=AliasChoices("first_seen", "first"))  # `first` until version 2
    is_new: bool
    rows: tuple[str, ...] = ()


class Indicators(Part):
    """The first indicators of the window; the table `indicators` has all of them, `sha256` covers all."""

    rows: tuple[Indicator, ...] = ()
    total: int = 0
    new: int = 0
    sha256: str = ""

    @property
    def hidden(self) -> int:
        """How many are in the table only."""
        return self.total - len(self.rows)


class Cluster(Part):
    """`C…`: sessions that did the same. `steps` hold no attacker's words, `examples` do; `rows` are event ids.

    `at_least`: the counts are lower bounds, for some rows may be of several sessions, or a session's list is cut.
    """

    id: str
    fingerprint: str
    protocol: str | None
    steps: tuple[str, ...]
    hidden_steps: int
    rules: tuple[str, ...]
    severity: str
    sessions: int
    events: int
    sources: int
    rustbuckets: int
    first: datetime
    last: datetime
    is_new: bool
    at_least: bool
    examples: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()


class Brief(Part):
    """A cluster in one short line: what its sessions began commands with."""

    id: str
    protocol: str
    did: str
    sessions: int
    severity: str
    is_new: bool


class Clusters(Part):
    """The window's behaviours: some in full, many in a line, the rest as counts; the table `clusters` has all.

    `sha256` covers all of them.
    """

    rows: tuple[Cluster, ...] = ()
    brief: tuple[Brief, ...] = ()
    total: int = 0
    new: int = 0
    sessions: int = 0
    hidden: int = 0
    hidden_new: int = 0
    hidden_sessions: int = 0
    sha256: str = ""


class Activity(Part):
    """Events of one type and protocol at one rustbucket."""

    rustbucket: str
    protocol: str | None
    event_type: str | None
    events: int


class Totals(Part):
    """Sums over the whole window. `low_trust` records may be forged by an attacker; `archived_bytes` counts bytes."""

    events: int
    sources: int
    rustbuckets: int
    low_trust: int
    clamped: int
    quarantined: int
    duplicates: int
    archived_bytes: int
    by_type: Mapping[str, int]
    by_protocol: Mapping[str, int]


class Change(Part):
    """A count that is far from what the 7 days before had (median of their 4-hour windows)."""

    what: str
    events: int
    usual: float


class Baseline(Part):
    """What the window was compared with: the 7 days before it. `windows` of them held any row."""

    since: datetime
    until: datetime
    windows: int
    inputs: str
    changes: tuple[Change, ...] = ()


class Missing(Part):
    """A rustbucket whose records don't reach the window's end; `since` is its newest one, None when none ever came."""

    rustbucket: str
    since: datetime | None


class Completeness(Part):
    """Which of the active rustbuckets are known to the window's end (`quiet`: with nothing to tell), which aren't."""

    expected: int
    missing: tuple[Missing, ...]
    quiet: tuple[str, ...]
    silent: tuple[str, ...]


class Digest(Part):
    """One 4-hour window, in figures."""

    version: int
    start: datetime
    end: datetime
    totals: Totals
    activity: tuple[Activity, ...]
    hidden_activity: int
    sources: Listing
    credentials: Listing
    commands: Listing
    paths: Listing
    clusters: Clusters = Clusters()
    indicators: Indicators
    completeness: Completeness
    baseline: Baseline

    @property
    def sha256(self) -> str:
        """Hash of what the window's own rows say; what it is compared with, and who is late, are left out."""
        return hash_of(self.model_dump(mode="json", exclude={"baseline", "completeness"}))


def canonical(document: object) -> bytes:
    """JSON in its one spelling: sorted keys, no blanks, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def hash_of(document: object) -> str:
    """SHA-256 (hex) of a JSON document in its one spelling."""
    return sha256(canonical(document)).hexdigest()
