"""Parsing and loading archived hours: `python -m benchmarks.loading [json] [text] [memory]`, or all.

Each side fills the same table, emptied, with the same rows (`loading_table` checks), and all in one run: the loop one
would write first, pandas, and PostgreSQL's own server-side COPY of the finished rows, which is the limit. The loop and
pandas get a log of what they can do (`loading_logs`). Goals: parsing and loading at 0.9 of the limit for JSON and 0.85
for text, and at 5 times pandas' speed; 2 GB in under 500 MB resident. Returns 1 if one is missed.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from benchmarks import plain_loop, with_pandas
from benchmarks.archiving import RUSTBUCKET
from benchmarks.loading_logs import NOW, Archived, Hour, archived, logs_of, plain_share
from benchmarks.loading_memory import little_memory
from benchmarks.loading_process import load_days, load_hour
from benchmarks.loading_table import EventTable
from benchmarks.measure import Comparison, seconds_of, show
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.events.bulk import BulkParser
from rustbucket_pipeline.events.read import read_run, runs_of
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.framing.times import microseconds
from rustbucket_pipeline.storage.objects import Archive

HOURS, PLAIN_HOURS = 24, 2
TIMES = 3
FASTER_THAN_PANDAS = 5.0


@dataclass(frozen=True, slots=True)
class Writing:
    """One of the ways a log is written, who else reads it, and the share of the server's speed that we want."""

    name: str
    dialect: str
    limit: float
    rows: Callable[[Hour], Iterator[plain_loop.Row]]
    frame: Callable[[Hour], pd.DataFrame]


JSON = Writing("JSON", "json", 0.9, plain_loop.json_rows, with_pandas.json_frame)
TEXT = Writing("text", "kv", 0.85, plain_loop.text_rows, with_pandas.text_frame)


def compare_loading(writing: Writing) -> list[Comparison]:
    """The whole log against the server, the plain one against the loop and pandas."""
    with archived(logs_of(writing.dialect, HOURS)) as whole:
        limit = list(_against_server(writing, whole))
    with archived(logs_of(writing.dialect, PLAIN_HOURS, plain=True)) as plain:
        return [*limit, *_against_others(writing, plain)]


def _against_server(writing: Writing, at: Archived) -> Iterator[Comparison]:
    table = EventTable(at.engine, at.days)
    table.filled_in("ours", lambda: _load(at), new_day=True)
    copy = table.keep()
    loaded, hourly, built, server = _in_turns(
        lambda: table.filled_in("ours", lambda: _load(at), new_day=True),
        lambda: table.filled_in("hour by hour", lambda: _load_hours(at)),
        lambda: table.filled_in("build_hour", lambda: _build(at), new_day=True),
        lambda: table.filled_in("the server", copy),
    )
    name, by_server, size, rows = writing.name, "server-side COPY of the rows", at.size, table.rows
    yield Comparison(f"{name}: parse, load", by_server, size, loaded, server, rows, writing.limit)
    yield Comparison(f"{name}: parse, load hour by hour", by_server, size, hourly, server, rows)
    yield Comparison(f"{name}: parse, load, join sessions", by_server, size, built, server, rows)


def _against_others(writing: Writing, at: Archived) -> Iterator[Comparison]:
    table, hours = EventTable(at.engine, at.days), at.hours
    ours, loop, pandas = _in_turns(
        lambda: seconds_of(lambda: [parse_hour(at.archive, hour) for hour in hours]),
        lambda: seconds_of(lambda: [deque(writing.rows(hour), maxlen=0) for hour in hours]),
        lambda: seconds_of(lambda: [writing.frame(hour) for hour in hours]),
    )
    loaded, inserted, appended = _in_turns(
        lambda: table.filled_in("ours", lambda: _load(at), new_day=True),
        lambda: table.filled_in("the loop", lambda: [plain_loop.load(at.engine, writing.rows(hour)) for hour in hours]),
        lambda: table.filled_in("pandas", lambda: [with_pandas.load(at.engine, writing.frame(hour)) for hour in hours]),
    )
    parse, load = f"plain {writing.name}: parse", f"plain {writing.name}: parse, load"
    size, rows = at.size, table.rows
    yield Comparison(parse, "plain loop", size, ours, loop, rows)
    yield Comparison(parse, "pandas", size, ours, pandas, rows)
    yield Comparison(load, "plain loop, executemany", size, loaded, inserted, rows)
    yield Comparison(load, "pandas, to_sql", size, loaded, appended, rows, FASTER_THAN_PANDAS)


def _in_turns(*sides: Callable[[], float]) -> list[float]:
    """The least seconds of each side. They take turns: what else the machine does strikes all of them."""
    return [min(seconds) for seconds in zip(*([side() for side in sides] for _ in range(TIMES)), strict=True)]


def parse_hour(archive: Archive, hour: Hour) -> None:
    """All that `load_share` does but the database's part."""
    parser = BulkParser(RUSTBUCKET, several_logs=False, tally=Tally())
    for run in runs_of(hour.segments):
        grader = Grader(open=run[0].after_text, last=microseconds(run[0].clock))
        deque(parser.parse(read_run(archive, run), grader), maxlen=0)


def _load(at: Archived) -> None:
    load_days(at.engine, at.archive, [hour.window for hour in at.hours])


def _load_hours(at: Archived) -> None:
    for hour in at.hours:
        load_hour(at.engine, at.archive, hour.window)


def _build(at: Archived) -> None:
    _load(at)
    for hour in at.hours:
        build_hour(at.engine, at.archive, hour.window, NOW, None)


def _compared(writing: Writing) -> bool:
    share = plain_share(writing.dialect)
    comparisons = compare_loading(writing)
    show(comparisons)
    print(f"plain {writing.name}: of the kinds that {share:.1%} of the records are\n")
    return all(one.met for one in comparisons)


MEASURES: dict[str, Callable[[], bool]] = {
    "json": lambda: _compared(JSON),
    "text": lambda: _compared(TEXT),
    "memory": little_memory,
}


def main() -> int:
    """Measure what is named, all of it otherwise; 1 if a goal was missed."""
    good = [MEASURES[name]() for name in sys.argv[1:] or MEASURES]
    print("goals met" if all(good) else "goals NOT met")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
