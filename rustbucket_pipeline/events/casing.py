"""What FTP and SMTP clients typed, in their own letters: the honeypot logs names, passwords and addresses upper-cased.

The true spelling stands in the `Command received` before. It is taken only when that is certain: all commands that
could have been meant spell it the same. A function of one log's records in order; remembers a few of them.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from rustbucket_pipeline.events.record import Parsed
from rustbucket_pipeline.events.values import undebug

HEARD: Final = "rustbucket::protocols"
_TOLD: Final = frozenset({"rustbucket::protocols::ftp", "rustbucket::protocols::smtp"})
VERBS: Final = {
    "username": "USER",
    "password": "PASS",
    "filename": "STOR",
    "mail_from": "MAIL FROM:",
    "rcpt_to": "RCPT TO:",
}
"""By field, the command that brought its value."""

_AT_ONCE = 2_000_000
_REMEMBERED = 600_000_000
"""Microseconds since it was typed: of what a command's own record tells, and of what later ones tell again."""

_KEPT = 64
_LONGEST = 4096
_SHORTEST_VERB = 4
_VERBS: Final = {verb[:_SHORTEST_VERB]: verb for verb in VERBS.values()}
"""By their beginnings, which differ."""


def tells_again(target: str, fields: Iterable[str]) -> bool:
    """Whether a message with these fields logs upper-cased what was typed before."""
    return target in _TOLD and not VERBS.keys().isdisjoint(fields)


class _Said(NamedTuple):
    at: int
    text: str


class _Typed:
    """What was typed last behind one verb, by what the honeypot makes of it."""

    def __init__(self) -> None:
        self._order = deque[str]()
        self._by_upper: dict[str, deque[_Said]] = {}

    def add(self, text: str, at: int) -> None:
        if len(self._order) == _KEPT:
            self._forget(self._order.popleft())
        upper = _as_logged(text)
        self._order.append(upper)
        self._by_upper.setdefault(upper, deque()).append(_Said(at, text))

    def spellings(self, upper: str, since: int) -> set[str]:
        return {said.text for said in self._by_upper.get(upper, ()) if said.at >= since}

    def _forget(self, upper: str) -> None:
        said = self._by_upper[upper]
        said.popleft()
        if not said:
            del self._by_upper[upper]


class Casing:
    """What was typed lately in one log."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._typed = {verb: _Typed() for verb in VERBS.values()}

    def hear(self, parsed: Parsed, at: int) -> None:
        """Remember the command of a record at that event time (microseconds), if it is one of FTP or SMTP."""
        command = parsed.fields.get("command")
        if parsed.target == HEARD and parsed.meaning.counted and isinstance(command, str):
            self.typed(command, at)

    def typed(self, command: str, at: int) -> None:
        """Remember it."""
        text = command.strip()[:_LONGEST]
        verb = _VERBS.get(text[:_SHORTEST_VERB].upper())
        if verb is not None and text[: len(verb)].upper() == verb:
            self._typed[verb].add(text[len(verb) :].strip(), at)

    def recover(self, parsed: Parsed, at: int) -> None:
        """Note in the record how its values were typed, where that is certain."""
        if parsed.target not in _TOLD:
            return
        for name in VERBS.keys() & parsed.fields.keys():
            value, again = parsed.fields[name], name in parsed.meaning.debug
            if not isinstance(value, str):
                continue
            logged = undebug(value) if again else value
            if isinstance(logged, list):
                parsed.recovered[name] = [self.typed_as(name, item, at, again=True) or item for item in logged]
            elif logged is not None and (typed := self.typed_as(name, logged, at, again=again)):
                parsed.recovered[name] = typed

    def typed_as(self, name: str, logged: str, at: int, *, again: bool) -> str | None:
        """How the value of a record at that event time was typed, None where that isn't certain.

        `again`: the record isn't the command's own, but a later one that tells it again.
        """
        since = _REMEMBERED if again else _AT_ONCE
        spellings = self._typed[VERBS[name]].spellings(logged, at - since)
        return spellings.pop() if len(spellings) == 1 else None


def _as_logged(typed: str) -> str:
    """As the honeypot spells it: upper-cased, runs of blanks as one."""
    return " ".join(typed.upper().split())
