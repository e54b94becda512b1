"""What a record's own time is worth (DESIGN section 3). Knows times only, no bytes.

Attackers write text that looks like a record. A claimed time counts inside what the file vouches for; in a text
dialect, moreover, if it isn't over two minutes behind the record before it, and if a jump ahead isn't contradicted by
most of the records that follow: one forged head of tomorrow must not drag the rest of a day with it. A claim that
doesn't count leaves the record with the time of the one before it, and marks it clamped.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rustbucket_pipeline.framing.split import Kind, RawRecord
from rustbucket_pipeline.model.window import EPOCH

TOLERANCE = 120_000_000
"""Microseconds a text record may be behind the one before it: rustbuckets write from several threads."""

WITNESSES = 256
"""Later records that are asked about a jump ahead; more than one read of a decoy can forge (4 KiB, 90 bytes a head)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of time before a record. All in microseconds since the epoch, UTC.

    `at` is the event time of the record before (at a log's beginning: of the file's start), `after_text` whether that
    record is in a text dialect; `vouched_from` and `vouched_until` bound the claims its file can vouch for.
    """

    at: int
    after_text: bool
    vouched_from: int
    vouched_until: int

    def after(self, ts: int, kind: Kind) -> "Clock":
        """The clock once a record of that time and kind has passed."""
        after_text = kind == "text" or (kind == "bare" and self.after_text)
        if ts == self.at and after_text == self.after_text:
            return self
        return replace(self, at=ts, after_text=after_text)


def microseconds(moment: datetime) -> int:
    """Exact microseconds since the epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(us: int) -> datetime:
    """The UTC time of microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=us)


def counts(record: RawRecord, clock: Clock, later: Iterable[int | None]) -> bool:
    """Whether the record's claimed time is to be believed, given what the following ones (`WITNESSES`) claim."""
    claimed = record.claimed
    if claimed is None or not clock.vouched_from <= claimed <= clock.vouched_until:
        return False
    if not needs_witnesses(record, clock):
        return not clock.after_text or claimed >= clock.at - TOLERANCE
    agree = disagree = 0
    for other in later:
        if other is not None and clock.at - TOLERANCE <= other <= clock.vouched_until:
            if other >= claimed - TOLERANCE:
                agree += 1
            else:
                disagree += 1
    return agree >= disagree


def needs_witnesses(record: RawRecord, clock: Clock) -> bool:
    """Whether the record stands where it can be forged, behind text, and claims a jump ahead."""
    return clock.after_text and record.claimed is not None and record.claimed > clock.at + TOLERANCE
