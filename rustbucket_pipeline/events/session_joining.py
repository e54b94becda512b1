"""Which connection does a row belong to? One rustbucket's hour, row by row, in the order things happened.

By its key, where the log gives the connection one: exact. Else by order: where only one connection of its lane is open,
where only one was just asked to do what the row says, or where only one is as long as an end says. Else nobody can say,
and the row goes to a part that lists whose it may be. Nothing here reads or writes a database.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

from rustbucket_pipeline.events.session_lane import MOST_OPEN, Lane, began_at
from rustbucket_pipeline.events.session_part import MOST_CANDIDATES, SILENCE, Part, SessionRow

_PATIENCE = timedelta(minutes=1)
"""So long after a command was sent or received is what is said about it looked for; model answers take seconds."""

_MOST_SAID = 1000
"""Different commands waited for at once."""

_SHELL = "ssh"
"""The lane of what is typed: its rows carry no key although their connections have one."""

_LIFE = frozenset({"opens", "starts", "ends"})
"""Roles of rows about the connection itself, not about what is said on it."""


class Joiner:
    """Joins one rustbucket's rows of an hour; `done` is given each part when nothing can be added to it any more."""

    def __init__(self, start: datetime, done: Callable[[Part], None]) -> None:
        """`start` is the hour's."""
        self._start = start
        self._done = done
        self._parts = 0
        self._keyed: OrderedDict[str, Part] = OrderedDict()
        self._lanes: dict[str, Lane] = {}
        self._said: dict[str, dict[Part, datetime]] = {}
        self._asked: dict[Part, None] = {}
        self.unjoined = 0

    def feed(self, row: SessionRow) -> None:
        """The next row."""
        if row.key is not None:
            self._by_key(row, row.key)
        elif row.role == "boots":
            self._close_all()
        elif row.lane == _SHELL and row.role not in _LIFE:
            self._of_ssh(row)
        elif row.lane is not None:
            self._in_lane(row, self._lane(row.lane, row.at))
        elif row.event_type == "llm":
            self._by_question(row)
        else:
            self.unjoined += 1

    def finish(self) -> None:
        """No more rows."""
        for part in self._keyed.values():
            self._complete(part)
        for lane in self._lanes.values():
            for part in lane.open:
                if not part.keyed:
                    self._complete(part)
            self._disperse(lane)
        self._keyed.clear()
        self._lanes.clear()
        self._said.clear()
        self._asked.clear()

    def _by_key(self, row: SessionRow, key: str) -> None:
        part = self._keyed.get(key)
        if part is None or (row.role == "opens" and part.events):
            if part is not None:
                self._drop_keyed(key)
            part = self._keyed[key] = self._new(row, key, keyed=True, opens_before=row.role != "opens")
            if len(self._keyed) > MOST_OPEN:
                self._drop_keyed(next(iter(self._keyed)))
        part.add(row)
        self._keyed.move_to_end(key)
        if row.role == "ends":
            part.closed = True
        if row.protocol == _SHELL:
            self._open_shell(row, part)

    def _open_shell(self, row: SessionRow, part: Part) -> None:
        lane = self._lanes.get(_SHELL)
        if row.role == "listens":
            self._lane(_SHELL, row.at).admit(part, row.at)
        elif row.role == "runs" and row.said:
            self._expect(row.said, part, row.at)
        elif lane is not None:
            if row.role == "ends":
                lane.release(part)
            else:
                lane.touch(part, row.at)

    def _drop_keyed(self, key: str) -> None:
        part = self._keyed.pop(key)
        if _SHELL in self._lanes:
            self._lanes[_SHELL].release(part)
        self._complete(part)

    def _of_ssh(self, row: SessionRow) -> None:
        if row.said:
            self._in_shell(row, row.said)
        elif row.event_type == "llm":
            self._by_question(row)
        else:
            self._of_recent(row)

    def _in_shell(self, row: SessionRow, said: str) -> None:
        """A row about a command: of whoever is running it, else of whoever can type."""
        lane = self._lane(_SHELL, row.at)
        waiting = self._waiting(said, row.at)
        if len(waiting) == 1:
            part = next(iter(waiting))
            self._join(row, part, lane)
        elif waiting:
            part = self._add_to_crowd(row, lane, waiting)
        elif lane.open or row.counted:
            part = self._in_lane(row, lane)
        else:
            self._of_recent(row)
            return
        if row.counted or row.event_type == "llm":
            self._expect(said, part, row.at)
        else:
            waiting.pop(part, None)

    def _expect(self, said: str, part: Part, at: datetime) -> None:
        self._said.setdefault(said, {})[part] = at
        if len(self._said) > _MOST_SAID:
            del self._said[next(iter(self._said))]

    def _waiting(self, said: str, at: datetime) -> dict[Part, datetime]:
        """The connections that lately sent this command, or are being answered."""
        waiting = self._said.get(said)
        if waiting is None:
            return {}
        for part in [part for part, last in waiting.items() if part.complete or at - last > _PATIENCE]:
            del waiting[part]
        if not waiting:
            del self._said[said]
        return waiting

    def _in_lane(self, row: SessionRow, lane: Lane) -> Part:
        if row.role in {"opens", "is all"}:
            return self._open(row, lane)
        if row.role == "starts":
            return self._start_handler(row, lane)
        if row.role == "ends":
            return self._end(row, lane)
        part = lane.only()
        if part is None and lane.open:
            return self._add_to_crowd(row, lane, lane.open)
        if part is None:
            part = self._new(row, lane.name, keyed=False, opens_before=True)
            lane.admit(part, row.at)
        self._join(row, part, lane)
        return part

    def _open(self, row: SessionRow, lane: Lane) -> Part:
        part = self._new(row, lane.name, keyed=False, opens_before=False)
        part.add(row)
        if row.role == "is all":
            part.closed = True
            self._complete(part)
        else:
            lane.admit(part, row.at, started=row.role == "starts")
        return part

    def _start_handler(self, row: SessionRow, lane: Lane) -> Part:
        unstarted = lane.unstarted()
        if not unstarted:
            return self._open(row, lane)
        lane.start(unstarted[0])
        if len(unstarted) > 1:
            return self._add_to_crowd(row, lane, lane.open)
        self._join(row, unstarted[0], lane)
        return unstarted[0]

    def _end(self, row: SessionRow, lane: Lane) -> Part:
        fits = lane.ending(row) or ([] if began_at(row) < self._start else list(islice(lane.open, 2)))
        if len(fits) > 1:
            crowd = self._add_to_crowd(row, lane, lane.open)
            lane.lost += 1
            if lane.lost >= len(lane.open):
                self._close_lane(lane)
            return crowd
        part = fits[0] if fits else self._new(row, lane.name, keyed=False, opens_before=True)
        self._join(row, part, lane)
        self._close(part, lane)
        return part

    def _of_recent(self, row: SessionRow) -> None:
        """A row of the SSH server that names nobody: of any connection that spoke lately and hasn't ended."""
        lane = self._lane(_SHELL, row.at)
        recent = [part for part in lane.open if not part.keyed] + [
            part
            for part in islice(reversed(self._keyed.values()), MOST_CANDIDATES)
            if part.first.protocol == _SHELL and not part.closed and row.at - part.ended_at <= SILENCE
        ]
        if len(recent) == 1:
            self._join(row, recent[0], lane)
        elif recent:
            self._add_to_crowd(row, lane, dict.fromkeys(recent, row.at))
        else:
            self.unjoined += 1

    def _by_question(self, row: SessionRow) -> None:
        """What a language model answers, or is asked in other words: of the one connection that waits for it."""
        waiting = [part for part in self._asked if row.lane is None or row.lane in (part.key, part.first.protocol)]
        if len(waiting) != 1:
            self.unjoined += 1
            return
        waiting[0].add(row, by_order=True)
        if row.role == "is told":
            del self._asked[waiting[0]]

    def _join(self, row: SessionRow, part: Part, lane: Lane) -> None:
        part.add(row, by_order=True)
        lane.touch(part, row.at)
        if row.role == "asks":
            self._asked[part] = None
        if lane.crowd is not None and len(lane.open) <= 1:
            self._disperse(lane)

    def _add_to_crowd(self, row: SessionRow, lane: Lane, candidates: dict[Part, datetime]) -> Part:
        if lane.crowd is not None and row.at - lane.crowd.ended_at > SILENCE:
            self._disperse(lane)
        crowd = lane.crowd
        if crowd is None:
            crowd = lane.crowd = self._new(row, lane.name, keyed=False, opens_before=False)
            crowd.candidates = []
        for part in islice(candidates, MOST_CANDIDATES):
            crowd.may_be_of(part)
        crowd.add(row)
        if row.role == "asks":
            self._asked[crowd] = None
        return crowd

    def _disperse(self, lane: Lane) -> None:
        if lane.crowd is not None:
            self._complete(lane.crowd)
            lane.crowd = None

    def _complete(self, part: Part) -> None:
        part.complete = True
        self._asked.pop(part, None)
        self._done(part)

    def _new(self, row: SessionRow, key: str, *, keyed: bool, opens_before: bool) -> Part:
        self._parts += 1
        return Part(self._parts, key, keyed, row, opens_before)

    def _lane(self, name: str, at: datetime) -> Lane:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(name)
        elif lane.open:
            for part in lane.gone(at):
                if not part.keyed:
                    self._complete(part)
        return lane

    def _close(self, part: Part, lane: Lane) -> None:
        lane.release(part)
        part.closed = True
        if not part.keyed:
            self._complete(part)

    def _close_lane(self, lane: Lane) -> None:
        for part in list(lane.open):
            self._close(part, lane)
        lane.lost = 0
        self._disperse(lane)

    def _close_all(self) -> None:
        """The honeypot starts anew: whatever was open is over."""
        for lane in self._lanes.values():
            self._close_lane(lane)
        for part in self._keyed.values():
            part.closed = True
        self.finish()
