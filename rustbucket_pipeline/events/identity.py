"""Which event a record is: the same record seen on two roads is one event. Holds ids only, no records."""

from datetime import datetime
from hashlib import sha256

_KEY_BYTES = 16
_MOST_EQUALS = 10_000


class Identities:
    """The ids of one rustbucket's events within an hour.

    An id is SHA-256 of rustbucket, record bytes and n: which of the equal records of its log and half-hour it is.
    """

    def __init__(self, rustbucket_id: str, *, several_logs: bool) -> None:
        """`several_logs`: the hour has more than one, so that ids must be remembered from one to the next."""
        self._seed = sha256(rustbucket_id.encode("ascii") + b"\0")
        self._taken: set[bytes] | None = set() if several_logs else None
        self._log_id: int | None = None
        self._seen: dict[datetime, dict[bytes, int]] = {}

    def claim(self, log_id: int, window_start: datetime, data: bytes) -> str | None:
        """The id of the log's next record, hex; None when an earlier log told the same event."""
        if log_id != self._log_id:
            self._log_id, self._seen = log_id, {}
        identity = self._seed.copy()
        identity.update(data)
        seen = self._seen.setdefault(window_start, {})
        key = identity.digest()[:_KEY_BYTES]
        nth = seen.get(key, 0)
        seen[key] = nth + 1
        identity.update(nth.to_bytes(8, "big"))
        if self._taken is not None:
            event = identity.digest()[:_KEY_BYTES]
            if event in self._taken:
                return None
            self._taken.add(event)
        return identity.hexdigest()


def nth_of(event_id: str, rustbucket_id: str, data: bytes) -> int | None:
    """Which of the equal records the id says these bytes are, counted from 0; None when the id isn't theirs."""
    base = sha256(rustbucket_id.encode("ascii") + b"\0" + data)
    for nth in range(_MOST_EQUALS):
        identity = base.copy()
        identity.update(nth.to_bytes(8, "big"))
        if identity.hexdigest() == event_id:
            return nth
    return None
