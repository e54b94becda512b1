"""How far a record can be believed: in text, attackers can write lines that look like records of their own.

A record's trust is 1.0 unless it stands in open text: right behind attacker text with possible line breaks, or behind
a record that is itself suspect. There it begins at 0.8 (nothing speaks against it, but it can't be told from a forgery)
and is halved for each doubt: its time was clamped, it goes back in time by more than threads do, its target or its
message is unknown, or it is in another dialect than the record before. A JSON line opens nothing: no line break in it
is a real one. But it can itself stand in open text.
"""

from dataclasses import dataclass

from rustbucket_pipeline.events.dialects.structured import TARGETS
from rustbucket_pipeline.events.normalise import SUSPECT
from rustbucket_pipeline.events.record import Parsed

IN_OPEN_TEXT = 0.8
"""Trust of a record that may be forged, with nothing speaking against it."""

JITTER = 100_000
"""Microseconds by which true records come out of order; an attacker has to guess when the honeypot will write."""


@dataclass(slots=True)
class Grader:
    """Grades the records of one log in order.

    `open`: the record before may end in attacker text. `last`: its event time, in microseconds since the epoch.
    """

    open: bool
    last: int
    dialect: str | None = None

    def grade(self, parsed: Parsed, claimed: int | None, *, clamped: bool) -> tuple[float, tuple[str, ...]]:
        """The record's trust and the doubts it rests on."""
        if not self.open:
            self._pass(parsed, claimed)
            return 1.0, ()
        doubts = tuple(self._doubts(parsed, claimed, clamped=clamped))
        trust = IN_OPEN_TEXT * 0.5 ** len(doubts)
        if trust >= SUSPECT:
            self._pass(parsed, claimed)
        return trust, doubts

    def _doubts(self, parsed: Parsed, claimed: int | None, *, clamped: bool) -> list[str]:
        found = {
            "clamped": clamped,
            "back in time": claimed is not None and claimed < self.last - JITTER,
            "unknown target": parsed.target not in TARGETS,
            "unknown message": not parsed.meaning.known,
            "other dialect": self.dialect is not None and parsed.dialect != self.dialect,
        }
        return [doubt for doubt, holds in found.items() if holds]

    def _pass(self, parsed: Parsed, claimed: int | None) -> None:
        self.open = parsed.dialect != "json" and parsed.meaning.opens
        self.dialect = parsed.dialect
        if claimed is not None:
            self.last = claimed
