"""The map of rustbuckets and hours, as lines for a terminal: a letter and a colour for each. Draws, asks nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from rich.text import Text

from rustbucket_pipeline.archive.completeness import GAPS, Arrival, Build, HourState
from rustbucket_pipeline.cli.output import plain
from rustbucket_pipeline.model.window import HOUR

_SIGNS: dict[Arrival, tuple[str, str]] = {
    Arrival.QUIET: ("q", "green"),
    Arrival.PENDING: ("·", "dim"),
    Arrival.MISSING: ("M", "bold white on red"),
    Arrival.EXPIRED: ("E", "bold white on magenta"),
    Arrival.WAIVED: ("w", "blue"),
}
_RECEIVED: dict[Build, tuple[str, str]] = {
    Build.FRESH: ("R", "black on green"),
    Build.STALE: ("s", "black on yellow"),
    Build.UNBUILT: ("r", "black on cyan"),
}
_LEGEND = (
    (*_RECEIVED[Build.FRESH], "received"),
    (*_RECEIVED[Build.UNBUILT], "received, no rows yet"),
    (*_RECEIVED[Build.STALE], "received, rows to be built again"),
    (*_SIGNS[Arrival.QUIET], "quiet, proved"),
    (*_SIGNS[Arrival.PENDING], "may still come"),
    (*_SIGNS[Arrival.MISSING], "missing"),
    (*_SIGNS[Arrival.EXPIRED], "expired at the source"),
    (*_SIGNS[Arrival.WAIVED], "waived"),
)
_LONGEST_NAME = 20
_DAY = 24
_PAGE = 100


def heatmap(
    states: Sequence[HourState], names: Mapping[str, str], start: datetime, hours: int, width: int
) -> Iterator[Text]:
    """A line per rustbucket, a letter per hour from `start` on; as many days side by side as fit into `width`."""
    if not states:
        yield Text("No rustbucket was approved in this time; `rustbucket fleet list` shows all of them.")
        return
    rows = {
        rustbucket_id: {state.hour: state for state in group}
        for rustbucket_id, group in groupby(states, key=lambda state: state.rustbucket_id)
    }
    labels = {one: f"{one} {plain(names.get(one, ''))[:_LONGEST_NAME]}" for one in rows}
    margin = max(len(label) for label in labels.values()) + 2
    for first, count in _blocks(start, hours, max(_DAY, width - margin - _TALLY)):
        yield from _scale(first, count, margin)
        for rustbucket_id, row in rows.items():
            yield _line(labels[rustbucket_id].ljust(margin), row, first, count)
        yield Text()
    yield from _legend(width)


def notes(states: Sequence[HourState]) -> Iterator[Text]:
    """What is missing or expired, in words: a line for every run of hours."""
    for run in _runs([state for state in states if state.arrival in GAPS]):
        first, last = run[0], run[-1]
        until = last.hour + HOUR
        to = f"{until:%H:%M}" if until.date() == first.hour.date() else f"{until:%Y-%m-%d %H:%M}"
        yield Text.assemble(
            f"{first.rustbucket_id} ",
            (str(first.arrival), _SIGNS[first.arrival][1]),
            f" {first.hour:%Y-%m-%d %H:%M}–{to} UTC: {plain(first.why)}",
        )


_TALLY = len("  24 missing")


def _blocks(start: datetime, hours: int, fit: int) -> Iterator[tuple[datetime, int]]:
    """Where each band of the map begins and how many hours it has: whole days while there are more than fit."""
    per_block = hours if hours <= fit else fit // _DAY * _DAY
    for done in range(0, hours, per_block):
        yield start + timedelta(hours=done), min(per_block, hours - done)


def _scale(first: datetime, count: int, margin: int) -> Iterator[Text]:
    """The dates, and below them every sixth hour."""
    days, clock = list(" " * (count + 12)), list(" " * (count + 2))
    for at in range(count):
        hour = first + timedelta(hours=at)
        if hour.hour == 0 or (at == 0 and hour.hour < _DAY - 11):
            days[at : at + 10] = f"{hour:%Y-%m-%d}"
        if hour.hour % 6 == 0:
            clock[at : at + 2] = f"{hour:%H}"
    for marks in (days, clock):
        yield Text(" " * margin + "".join(marks).rstrip(), style="dim")


def _line(label: str, row: Mapping[datetime, HourState], first: datetime, count: int) -> Text:
    line = Text(label)
    found = [row.get(first + timedelta(hours=at)) for at in range(count)]
    for state in found:
        line.append(*(_sign(state) if state else (" ", "")))
    for arrival in GAPS:
        number = sum(state is not None and state.arrival is arrival for state in found)
        if number:
            line.append(f"  {number} {arrival}", style="red")
    return line


def _sign(state: HourState) -> tuple[str, str]:
    return _RECEIVED[state.build] if state.arrival is Arrival.RECEIVED else _SIGNS[state.arrival]


def _legend(width: int) -> Iterator[Text]:
    line = Text()
    for letter, style, words in _LEGEND:
        if line and len(line) + len(words) + 5 > min(width, _PAGE):
            yield line
            line = Text()
        line.append("   " if line else "").append(letter, style=style).append(f" {words}")
    yield line


def _runs(states: Sequence[HourState]) -> Iterator[list[HourState]]:
    """Hours of one rustbucket that follow each other and share their state."""
    run: list[HourState] = []
    for state in states:
        if run and not _continues(run[-1], state):
            yield run
            run = []
        run.append(state)
    if run:
        yield run


def _continues(before: HourState, state: HourState) -> bool:
    same = (before.rustbucket_id, before.arrival) == (state.rustbucket_id, state.arrival)
    return same and before.hour + HOUR == state.hour
