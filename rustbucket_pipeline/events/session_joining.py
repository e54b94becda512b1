"""Which connection does a row belong to? One rustbucket's hour, row by row, in the order things happened.

By its key, where the log gives the connection one: exact. Else by order: where only one connection of its lane is open,
where only one was just asked to do what the row says, or where only one is as long as an end says. Else nobody can say,
and the row goes to a part that lists whose it may be. Nothing here reads or writes a database.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice

from rustbucket_pipeline.events.session_commands import Commands
from rustbucket_pipeline.events.session_lane import MOST_OPEN, Lane, began_at
from rustbucket_pipeline.events.session_part import MOST_CANDIDATES, SILENCE, Part, SessionRow

_SHELL = "ssh"
"""The lane of what is typed: its rows carry no key although their connections have one."""

_LIFE = frozenset({"opens", "starts", "ends"})
"""Roles of rows about the connection itself, not about what is said on it."""


class Joiner:
    """Joins one rustbucket's rows of an hour; `done` is given each part when nothing can be added to it any more."""

    def __init__(self, start: datetime, strangers: Mapping[str, int], done: Callable[[Part], None]) -> None:
        """`start` is the hour's; `strangers` were open then, by lane."""
        self._start = start
        self._strangers = strangers
        self._done = done
        self._parts = 0
        self._keyed: OrderedDict[str, Part] = OrderedDict()
        self._lanes: dict[str, Lane] = {}
        self._commands = Commands()
        self._questions = Commands()
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
        self._commands = Commands()
        self._questions = Commands()

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
            self._commands.expect(row.said, part, row.at)
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
        waiting = self._commands.waiting(said, row.at)
        if len(waiting) == 1:
            part = next(iter(waiting))
            self._join(row, part, lane)
        elif waiting:
            self._add_to_crowd(row, lane, waiting)
            part = None
        elif lane.open or row.counted:
            part = self._in_lane(row, lane)
        else:
            self._of_recent(row)
            return
        if not row.counted and row.event_type != "llm":
            waiting.pop(part or next(iter(waiting)), None)
        elif part is not None:
            self._commands.expect(said, part, row.at)

    def _in_lane(self, row: SessionRow, lane: Lane) -> Part:
        if row.role in {"opens", "is all"}:
            return self._open(row, lane)
        if row.role == "starts":
            return self._start_handler(row, lane)
        if row.role == "ends":
            return self._end(row, lane)
        part = lane.only()
        if part is None and len(lane.open) + lane.strangers > 1:
            return self._add_to_crowd(row, lane, lane.open)
        if part is None:
            part = self._new(row, lane.name, keyed=False, opens_before=True)
            lane.admit(part, row.at)
            lane.strangers = 0
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
        strangers = lane.strangers if row.duration_ms is None else 0
        if len(fits) + strangers > 1:
            crowd = self._add_to_crowd(row, lane, lane.open)
            lane.lost += 1
            if lane.lost >= len(lane.open) + lane.strangers:
                self._close_lane(lane)
            return crowd
        if fits:
            part = fits[0]
        else:
            part = self._new(row, lane.name, keyed=False, opens_before=True)
            lane.strangers = max(0, lane.strangers - 1)
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
        asked = self._questions.waiting("", row.at)
        fits = [part for part in asked if not part.complete and row.lane in (None, part.key, part.first.protocol)]
        if len(fits) != 1:
            self.unjoined += 1
            return
        fits[0].add(row, by_order=True)
        if row.role == "is told":
            del asked[fits[0]]

    def _join(self, row: SessionRow, part: Part, lane: Lane) -> None:
        part.add(row, by_order=True)
        lane.touch(part, row.at)
        if row.role == "asks":
            self._questions.expect("", part, row.at)
        if lane.crowd is not None and len(lane.open) + lane.strangers <= 1:
            self._disperse(lane)

    def _add_to_crowd(self, row: SessionRow, lane: Lane, candidates: dict[Part, datetime]) -> Part:
        if lane.crowd is not None and row.at - lane.crowd.ended_at > SILENCE:
            self._disperse(lane)
        crowd = lane.crowd
        if crowd is None:
            crowd = lane.crowd = self._new(row, lane.name, keyed=False, opens_before=lane.strangers > 0)
            crowd.candidates = []
        for part in islice(candidates, MOST_CANDIDATES):
            crowd.may_be_of(part)
        crowd.add(row)
        if row.role == "asks":
            self._questions.expect("", crowd, row.at)
        return crowd

    def _disperse(self, lane: Lane) -> None:
        if lane.crowd is not None:
            self._complete(lane.crowd)
            lane.crowd = None

    def _complete(self, part: Part) -> None:
        part.complete = True
        self._done(part)

    def _new(self, row: SessionRow, key: str, *, keyed: bool, opens_before: bool) -> Part:
        self._parts += 1
        return Part(self._parts, key, keyed, row, opens_before)

    def _lane(self, name: str, at: datetime) -> Lane:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(name, self._strangers.get(name, 0))
        if lane.strangers and at - self._start > SILENCE:
            lane.strangers = 0
        if lane.open:
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
        lane.lost = lane.strangers = 0
        self._disperse(lane)

    def _close_all(self) -> None:
        """The honeypot starts anew: whatever was open is over."""
        for lane in self._lanes.values():
            self._close_lane(lane)
        for part in self._keyed.values():
            part.closed = True
        self.finish()
