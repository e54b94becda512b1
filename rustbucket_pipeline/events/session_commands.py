"""Which connections wait for what becomes of a command: rows about it name the command, but no connection.

How a row without a key finds its connection in general is `session_joining`'s to say.
"""

from collections import OrderedDict
from datetime import datetime, timedelta

from rustbucket_pipeline.events.session_part import Part

_PATIENCE = timedelta(minutes=1)
"""So long after a command was sent or received is it waited for; a language model takes seconds."""

_MOST_COMMANDS = 1000
"""Different commands waited for at once; one more, and the first of them is forgotten."""

_MOST_WAITING = 50
"""Connections that wait for the same command; one more, and the first of them waits no more."""

Waiting = OrderedDict[Part, datetime]
"""Connections and since when they wait, the longest waiting first."""


class Commands:
    """The commands of a rustbucket's connections that something may still be said about."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()

    def expect(self, command: str, part: Part, at: datetime) -> None:
        """The connection sent the command, or it was received from it."""
        waiting = self._waiting.setdefault(command, Waiting())
        waiting[part] = at
        waiting.move_to_end(part)
        if len(waiting) > _MOST_WAITING:
            waiting.popitem(last=False)
        if len(self._waiting) > _MOST_COMMANDS:
            self._waiting.popitem(last=False)

    def waiting(self, command: str, at: datetime) -> Waiting:
        """Who waits for it then; whoever is taken out of it waits no more."""
        waiting = self._waiting.get(command)
        if waiting is None:
            return Waiting()
        while waiting:
            part, last = next(iter(waiting.items()))
            if not part.complete and at - last <= _PATIENCE:
                return waiting
            del waiting[part]
        del self._waiting[command]
        return waiting
