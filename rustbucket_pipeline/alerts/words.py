"""What a message says: plain text, bounded, nothing in it that acts. Pure; who gets it and when is decided elsewhere.

Subjects and causes may hold an attacker's words. Every channel has a markup of its own, so none gets through: links are
defanged, mentions and tags broken, and what looks like a login in a URL is taken out.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rustbucket_pipeline.alerts.kinds import Severity
from rustbucket_pipeline.model.text import bounded

LONGEST_LINE = 240
LONGEST_BODY = 1800
"""Characters; the narrowest channel people use takes 2,000."""

EACH_KIND = 3
"""Alerts of one kind that are spelled out; the others are counted."""

_HTTP = re.compile(r"http(?=s?:)", re.IGNORECASE)
_LOGIN = re.compile(r"//[^/\s@]{1,500}@")
_DOMAIN = re.compile(r"(?<=\w)\.(?=[A-Za-z]{2,})")
_ADDRESS = re.compile(r"\b(\d{1,3}\.\d{1,3}\.\d{1,3})\.(\d{1,3})\b")
_INERT = str.maketrans({"@": "(at)", "<": "‹", ">": "›", "`": "'", "*": "∗", "|": "¦"})


@dataclass(frozen=True, slots=True)
class Told:
    """An alert in one of its states, as a message tells it. `state`: `opened`, `escalated` or `closed`."""

    id: int
    state: str
    kind: str
    severity: str
    subject: str
    cause: str
    count: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What a target is sent: a title of our own words, and the body."""

    title: str
    body: str
    severity: Severity


def inert(text: str, longest: int = LONGEST_LINE) -> str:
    """The text as every channel may show it: one line that links to nothing, mentions nobody and formats nothing."""
    text = _LOGIN.sub("//…@", bounded(text, 4 * longest))
    text = _HTTP.sub("hxxp", text).translate(_INERT).replace("](", "] (")
    text = _ADDRESS.sub(r"\1[.]\2", _DOMAIN.sub("[.]", text.replace("://", "[:]//")))
    return bounded(text, longest)


def message_of(told: Sequence[Told]) -> Message:
    """One message about all of these, the worst first; however many they are, it stays short."""
    ended = [one for one in told if one.state == "closed"]
    lasting = [one for one in told if one.state != "closed"]
    worst = max((Severity(one.severity) for one in lasting), key=list(Severity).index, default=Severity.INFO)
    new = sum(one.state == "opened" for one in lasting)
    counts = {"new": new, "lasting": len(lasting) - new, "over": len(ended)}
    said = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    title = f"{'Over' if not lasting else worst.value.capitalize()}: {said} (Rustbucket alerts)"
    lines = [*_by_kind(lasting), *_by_kind(ended)]
    return Message(title, _body(lines), worst)


def digest_of(told: Sequence[Told]) -> Message:
    """What is open and what came and went in a day, whether it was told before or not."""
    ended = [one for one in told if one.state == "closed"]
    lasting = [one for one in told if one.state != "closed"]
    lines = [f"Open: {len(lasting):,}", *_by_kind(lasting), f"Over since yesterday: {len(ended):,}", *_by_kind(ended)]
    return Message("The day's alerts (Rustbucket)", _body(lines), Severity.INFO)


def _by_kind(told: Iterable[Told]) -> Iterator[str]:
    order = list(Severity)

    def place(one: Told) -> tuple[int, str, str]:
        return -order.index(Severity(one.severity)), one.kind, one.state

    for (_, kind, state), group in groupby(sorted(told, key=place), key=place):
        alike = list(group)
        yield from (line_of(one) for one in alike[:EACH_KIND])
        if len(alike) > EACH_KIND:
            yield f"… and {len(alike) - EACH_KIND:,} more: {kind}, {state}"


def line_of(one: Told) -> str:
    """One alert in one line."""
    what = {"opened": one.severity, "escalated": f"{one.severity}, lasts", "closed": "over"}[one.state]
    since = f"since {one.opened_at:%m-%d %H:%M} UTC" + (f", {one.count:,} times" if one.count > 1 else "")
    subject = inert(one.subject, 80)
    return f"• {what}: {one.kind} – {subject} ({since})" + (f": {inert(one.cause)}" if one.state != "closed" else "")


def _body(lines: Sequence[str]) -> str:
    end = "More: rustbucket alerts list"
    taken: list[str] = []
    room = LONGEST_BODY - len(end) - 30
    for line in lines:
        if room < len(line) + 1:
            break
        taken.append(line)
        room -= len(line) + 1
    hidden = len(lines) - len(taken)
    return "\n".join([*taken, *([f"… and {hidden} lines more"] if hidden else []), end])
