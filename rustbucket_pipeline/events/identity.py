"""Which event a record is: the same record seen on two roads is one event. Holds keys of ids only, no records."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from rustbucket_pipeline.events.seen import Seen

_NTH_BYTES = 8
_FIRST = bytes(_NTH_BYTES)
_MOST_EQUALS = 10_000


class Identities:
    """The ids of one rustbucket's events within an hour.

    An id is SHA-256 of rustbucket, record bytes and n: which of the equal records of its log and half-hour it is.
    """

    def __init__(self, rustbucket_id: str, *, several_logs: bool) -> None:
        """`several_logs`: the hour has more than one, so that ids must be remembered from one to the next."""
        self._seed = rustbucket_id.encode("ascii") + b"\0"
        self._told = Seen() if several_logs else None
        self._log_id: int | None = None
        self._halves: dict[datetime, _Half] = {}

    def claim(self, log_id: int, window_start: datetime, data: bytes) -> str | None:
        """The id of the log's next record, hex; None when an earlier log told the same event."""
        (one,) = self.claim_all(log_id, window_start, data, [0], [len(data)])
        return None if one is None else one.hex()

    def claim_all(
        self, log_id: int, window_start: datetime, data: bytes, starts: Sequence[int], ends: Sequence[int]
    ) -> Sequence[bytes | None]:
        """The ids, as 32 bytes each, of the log's next records, all of one half-hour; None as in `claim`.

        They begin and end there in `data`.
        """
        if log_id != self._log_id:
            self._log_id, self._halves = log_id, {}
        half = self._halves.get(window_start)
        if half is None:
            half = self._halves[window_start] = _Half()
        seed = self._seed
        ids = [sha256(seed + data[start:end] + _FIRST).digest() for start, end in zip(starts, ends, strict=True)]
        for at in half.seen.add(ids):
            ids[at] = self._again(half, data[starts[at] : ends[at]])
        return ids if self._told is None else _without(ids, self._told.add(ids))

    def _again(self, half: "_Half", record: bytes) -> bytes:
        equal = sha256(self._seed + record)
        nth = half.repeats[equal.digest()] = half.repeats.get(equal.digest(), 0) + 1
        equal.update(nth.to_bytes(_NTH_BYTES, "big"))
        return equal.digest()


class _Half:
    """What a log's half-hour told so far: its ids, and how often a record was there again."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.repeats: dict[bytes, int] = {}


def _without(ids: list[bytes], told: list[int]) -> list[bytes | None]:
    left: list[bytes | None] = [*ids]
    for at in told:
        left[at] = None
    return left


def nth_of(event_id: str, rustbucket_id: str, data: bytes) -> int | None:
    """Which of the equal records the id says these bytes are, counted from 0; None when the id isn't theirs."""
    base = sha256(rustbucket_id.encode("ascii") + b"\0" + data)
    for nth in range(_MOST_EQUALS):
        identity = base.copy()
        identity.update(nth.to_bytes(_NTH_BYTES, "big"))
        if identity.hexdigest() == event_id:
            return nth
    return None
