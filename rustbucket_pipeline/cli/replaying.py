"""How `rustbucket events replay` goes about it and what it shows: differences row by row, or sums before and after."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from rich.text import Text
from sqlalchemy import Engine

from rustbucket_pipeline.cli.output import console, errors, plain, print_json, print_table
from rustbucket_pipeline.control.jobs import PARSE_LOGS
from rustbucket_pipeline.events.build import forget_hour
from rustbucket_pipeline.events.export import shown
from rustbucket_pipeline.events.own import collectors_of
from rustbucket_pipeline.events.replay import Difference, HeldHour, difference_of
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import open_archive

_LONGEST_SHOWN = 60


def show_differences(
    engine: Engine, settings: Settings, hours: Sequence[HeldHour], rustbuckets: Sequence[str], *, as_json: bool
) -> int:
    """Hour after hour, as each is compared; 1 if any differs."""
    archive, collectors = open_archive(settings), tuple(collectors_of(settings))
    found: list[Difference] = []
    for hour in hours:
        if hour.version is None:
            errors.print(f"– {hour.window}  not built yet", style="dim")
            continue
        with engine.connect() as connection:
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
            difference = difference_of(snapshot, archive, hour.window, rustbuckets, collectors)
        found.append(replace(difference, examples=difference.examples if as_json else []))
        if not as_json:
            for line in _difference_lines(difference):
                console.print(line, soft_wrap=True)
    if as_json:
        print_json([_document(one) for one in found])
    return int(any(one.differs for one in found))


def _document(found: Difference) -> dict[str, object]:
    counts = {"same": found.same, "changed": found.changed, "added": found.added, "removed": found.removed}
    examples = [{**asdict(change), "place": change.place._asdict()} for change in found.examples]
    return {"window": found.window.key, **counts, "columns": dict(found.columns), "examples": examples}


def _difference_lines(found: Difference) -> Iterator[Text]:
    counts = ((found.changed, "changed"), (found.added, "added"), (found.removed, "removed"))
    changes = ", ".join(f"{number:,} {what}" for number, what in counts if number)
    mark, style = ("✗", "red") if changes else ("✓", "green")
    yield Text.assemble(
        (f"{mark} ", style), f"{found.window}  ", (changes, style), f"{changes and '; '}{found.same:,} as they are"
    )
    if found.columns:
        columns = ", ".join(f"{name} ({number:,})" for name, number in found.columns.most_common())
        yield Text(f"  in {columns}", style="dim")
    for change in found.examples:
        place = change.event_id[:12] if change.event_id else f"byte {change.place.byte_offset}"
        yield Text.assemble(f"  {change.place.rustbucket_id} {place} ", (change.kind, "bold"))
        if change.kind == "changed":
            for name, (before, after) in change.columns.items():
                yield Text.assemble((f"    {name}: ", "dim"), _short(before), (" → ", "dim"), _short(after))
        else:
            told = change.columns.get("message") or change.columns.get("reason") or ("", "")
            yield Text(f"    {_short(told[0] or told[1])}")


def _short(value: object) -> str:
    return bounded(plain(shown(value)), _LONGEST_SHOWN)


def rebuild(engine: Engine, hours: Sequence[HeldHour]) -> None:
    """By the schedule's own job, so that the runs show where every other does; hours in a row share one."""
    with engine.begin() as connection:
        for hour in hours:
            forget_hour(connection, hour.window)
    from rustbucket_pipeline.control.runs import Runner  # here: Dagster takes a second that queries needn't pay

    runner = Runner.open()
    try:
        for run in _in_a_row([hour.window for hour in hours]):
            with errors.status(f"parsing again: {run[0]}, hours: {len(run)}"):
                runner.run(PARSE_LOGS, run[0], run[-1])
    finally:
        runner.close()


def _in_a_row(windows: Sequence[Window]) -> Iterator[list[Window]]:
    run: list[Window] = []
    for window in windows:
        if run and run[-1].end != window.start:
            yield run
            run = []
        run.append(window)
    if run:
        yield run


def show_rebuilt(before: Sequence[HeldHour], after: Sequence[HeldHour], *, as_json: bool) -> None:
    """The hours' sums before and after, and whether their rows are the same."""
    was = {hour.window: hour for hour in before}
    pairs = [(was[hour.window], hour) for hour in after if hour.window in was]
    if as_json:
        print_json([{"window": new.window.key, "before": _sums(old), "after": _sums(new)} for old, new in pairs])
        return
    print_table(
        ("hour (UTC)", "events before", "now", "quarantined before", "now", "rows"),
        (
            (new.window.key, old.events, new.events, old.quarantined, new.quarantined, _verdict(old, new))
            for old, new in pairs
        ),
    )


def _sums(hour: HeldHour) -> dict[str, object]:
    return {"events": hour.events, "quarantined": hour.quarantined, "version": hour.version}


def _verdict(before: HeldHour, after: HeldHour) -> str:
    if before.version is None:
        return "new"
    return "as before" if before.version == after.version else "changed"
