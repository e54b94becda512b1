"""What became of a rustbucket's hour, in numbers: the sums of promise 1, and what its rows may leave out. Only sums."""

from dataclasses import dataclass

GARBLED_SHARE = 0.01
GARBLED_BYTES = 4096
"""From this share of its bytes on, and so many, an hour is worth an alert: a line cut by a crash isn't."""


@dataclass(slots=True)
class Tally:
    """An hour's sums; bytes add up to what was archived.

    `counted` are events that count; `refused` connections the honeypot says it refused: whatever they would have done
    is in no row, so every other count is a lower bound. `suspects` are events taken for forgeries, `unknown_messages`
    of no known template, `own` our own visits; `redacted` secrets of ours that were taken out.
    """

    archived_bytes: int = 0
    event_bytes: int = 0
    quarantined_bytes: int = 0
    duplicate_bytes: int = 0
    events: int = 0
    quarantined: int = 0
    duplicates: int = 0
    suspects: int = 0
    unknown_messages: int = 0
    counted: int = 0
    refused: int = 0
    own: int = 0
    redacted: int = 0

    @property
    def agrees(self) -> bool:
        """Whether every archived byte is accounted for."""
        return self.archived_bytes == self.event_bytes + self.quarantined_bytes + self.duplicate_bytes

    @property
    def garbled(self) -> bool:
        """Whether unusually much of it can't be parsed."""
        lost = self.quarantined_bytes
        return lost >= GARBLED_BYTES and lost >= GARBLED_SHARE * self.archived_bytes
