"""A lane: the connections whose rows look alike, so that only their order tells which of them a row is of.

Which rows come here, and what becomes of a row that fits several, is decided in `session_joining`.
"""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from rustbucket_pipeline.events.session_part import SILENCE, Part, SessionRow

MOST_OPEN = 4_096
"""Connections held open at once; one more, and the one silent for longest is taken for gone."""

_MOST_COMPARED = 64
"""More open connections than this, and an end isn't compared with each."""

_LENGTH_ERROR = timedelta(seconds=1)
"""A logged length is cut to whole seconds, and doesn't begin with the connection exactly."""


class Lane:
    """The open connections of one lane of a rustbucket, the longest silent first.

    `strangers` more are open since before the hour, and said nothing yet that is surely theirs. `lost` connections
    have ended, but their ends fitted several. `crowd` gathers the rows that fitted several.
    """

    __slots__ = ("_unstarted", "crowd", "lost", "name", "open", "strangers")

    def __init__(self, name: str, strangers: int = 0) -> None:
        """No connection is open but so many strangers."""
        self.name = name
        self.strangers = strangers
        self.open: OrderedDict[Part, datetime] = OrderedDict()
        self.crowd: Part | None = None
        self.lost = 0
        self._unstarted: dict[Part, None] = {}

    def admit(self, part: Part, at: datetime, *, started: bool = True) -> None:
        """The connection is open. Not `started`: its handler will say so yet."""
        self.open[part] = at
        if not started:
            self._unstarted[part] = None

    def release(self, part: Part) -> None:
        """The connection isn't open any more."""
        self.open.pop(part, None)
        self._unstarted.pop(part, None)

    def touch(self, part: Part, at: datetime) -> None:
        """The connection, if it is open here, said something."""
        if part in self.open:
            self.open[part] = at
            self.open.move_to_end(part)

    def only(self) -> Part | None:
        """The open connection, where there is exactly one."""
        return next(iter(self.open)) if len(self.open) == 1 and not self.strangers else None

    def unstarted(self) -> list[Part]:
        """The connections whose handler hasn't said that it started."""
        return list(islice(self._unstarted, 2))

    def start(self, part: Part) -> None:
        """The connection's handler said that it started."""
        self._unstarted.pop(part, None)

    def gone(self, at: datetime) -> list[Part]:
        """Take out whoever has been silent too long by then, or is one too many."""
        gone: list[Part] = []
        for part, last in self.open.items():
            if at - last <= SILENCE and len(self.open) - len(gone) <= MOST_OPEN:
                break
            gone.append(part)
        for part in gone:
            self.release(part)
            self.lost = max(0, self.lost - 1)
        return gone

    def ending(self, row: SessionRow) -> list[Part]:
        """The open connections that an end may be of: by the length it names, where it does."""
        if row.duration_ms is None or len(self.open) > _MOST_COMPARED:
            return list(islice(self.open, 2))
        began = began_at(row)
        return [part for part in self.open if _began(part, began)]


def strangers_of(rows: Sequence[SessionRow]) -> Mapping[str, int]:
    """How many connections of each lane were open before these first rows of an hour: more end in them than opened."""
    balance: Counter[str] = Counter()
    strangers: Counter[str] = Counter()
    for row in rows:
        if row.role == "boots":
            break
        if row.key is None and row.lane is not None:
            balance[row.lane] += (row.role == "ends") - (row.role == "opens")
            strangers[row.lane] = max(strangers[row.lane], balance[row.lane])
    return strangers


def began_at(row: SessionRow) -> datetime:
    """When the connection began whose end this is, by the length it names; none named: at the end."""
    return row.at - timedelta(milliseconds=min(row.duration_ms or 0, 1e12))


def _began(part: Part, at: datetime) -> bool:
    late = at - part.first.at
    return late <= _LENGTH_ERROR and (part.opens_before or -late <= _LENGTH_ERROR)
