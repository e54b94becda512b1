"""What a dialect is given and what it gives back. No tables, no columns: `normalise` makes those."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from rustbucket_pipeline.framing.split import Kind


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a message template stands for.

    `event_type` is ours, `raw_type` what the log itself calls it; `counted`: a record of it is the one telling of its
    action that counts; `refuses`: the honeypot turned a connection away; `opens`: it ends in attacker text that may
    hold line breaks, so the next head may be forged; `debug` names fields written by Rust's Debug.
    """

    event_type: str
    counted: bool = False
    raw_type: str | None = None
    protocol: str | None = None
    opens: bool = False
    debug: tuple[str, ...] = ()
    known: bool = True
    refuses: bool = False


UNKNOWN = Meaning("unknown", opens=True, known=False)
"""A message of no known template: kept whole, and watched, for format drift shows here first."""

UNFINISHED = "unfinished"
"""Flag of a record that stops before the end its message must have: cut, or torn apart by a forged line in its text."""


@dataclass(slots=True)
class Parsed:
    """One record as a dialect reads it, values verbatim.

    `dirty`: some string may hold what PostgreSQL can't store (NUL, an unpaired surrogate, a byte that isn't UTF-8,
    which stands as U+DC80…U+DCFF), or some key begins with `_`. `flags` says what was odd about its form; `spelled`
    which field holds what a column is for, where it has another name; `recovered` values as they were typed, where the
    log spells them otherwise; `notes` what else is worth saying; `awaits` what an
    unfinished record's text must still bring; `own`: it tells of our own collector's visit;
    `redacted`: so many secrets of ours were taken out of its columns.
    """

    dialect: str
    level: str | None
    target: str | None
    message: str
    fields: dict[str, object]
    meaning: Meaning
    dirty: bool = False
    flags: list[str] = field(default_factory=list[str])
    spelled: Mapping[str, str] = field(default_factory=dict[str, str])
    recovered: dict[str, str | list[str]] = field(default_factory=dict[str, str | list[str]])
    notes: dict[str, object] = field(default_factory=dict[str, object])
    awaits: str = ""
    own: bool = False
    redacted: int = 0


class Refused(NamedTuple):
    """A record that no dialect could read, and why."""

    reason: str


class TextRecord(NamedTuple):
    """A text record behind its time: level, target (None when there is none) and all that follows, newline off."""

    level: str
    target: str | None
    body: str
    dirty: bool


class Opened(NamedTuple):
    """A record as every dialect is shown it; `text` is its reading as a text record, if it has such a head."""

    data: bytes
    kind: Kind
    text: TextRecord | None


class Dialect(Protocol):
    """One way in which a honeypot writes, or has written, its log."""

    @property
    def name(self) -> str:
        """As it stands in `log_events.dialect`."""
        ...

    def recognise(self, record: Opened) -> Parsed | Refused | None:
        """The record's reading; None when it is not of this dialect; Refused when it is, but can't be read."""
        ...
