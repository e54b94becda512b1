"""Registers a whole file of rustbuckets: all of them or none, every problem named by file and line at once.

Importing the same file again changes nothing: an item that is registered as it stands is left alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from rustbucket_pipeline.errors import BadFile
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.clashes import clashes
from rustbucket_pipeline.fleet.entry import Entry, Rules, read_entry
from rustbucket_pipeline.fleet.formats import read_items
from rustbucket_pipeline.fleet.tokens import token_of
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Imported:
    """The ids that were registered, and those that were registered before."""

    added: tuple[str, ...]
    unchanged: tuple[str, ...]


_Facts = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    entry: Entry


def import_file(engine: Engine, settings: Settings, path: Path, now: datetime) -> Imported:
    """Register every rustbucket of a CSV, JSON or YAML file, for review.

    Raises:
        BadFile: anything is wrong with it; `problems` has a line for each, and nothing was imported.
    """
    lines, problems = _read(path, Rules.of(settings))
    with engine.begin() as connection:
        registry.lock(connection)
        known = registry.everyone(connection)
        by_facts = {_facts(rustbucket): rustbucket for rustbucket in known}
        unchanged = [_same(connection, settings, line.entry, by_facts) for line in lines]
        new = _numbered([line for line, same in zip(lines, unchanged, strict=True) if not same], known)
        problems += _clashes(path, new, known)
        if problems:
            raise _bad_file(path, problems)
        for line in new:
            registry.store(connection, settings, line.entry, str(line.entry.id), now)
    return Imported(tuple(str(line.entry.id) for line in new), tuple(filter(None, unchanged)))


def _read(path: Path, rules: Rules) -> tuple[list[_Line], list[str]]:
    lines: list[_Line] = []
    problems: list[str] = []
    for item in read_items(path):
        entry, wrong = read_entry(item.fields, rules)
        problems += [f"{path.name}:{item.line}: {problem}" for problem in [*item.problems, *wrong]]
        if entry and not item.problems:
            lines.append(_Line(item.line, entry))
    return lines, problems


def _bad_file(path: Path, problems: list[str]) -> BadFile:
    if len(problems) == 1:
        return BadFile(f"{problems[0]}; nothing was imported")
    ordered = sorted(problems, key=lambda problem: int(problem.removeprefix(f"{path.name}:").partition(":")[0]))
    return BadFile(
        f"{path.name}: {len(problems)} problems, nothing was imported; correct them and import it again", tuple(ordered)
    )


def _same(connection: Connection, settings: Settings, entry: Entry, by_facts: dict[_Facts, Rustbucket]) -> str | None:
    """The id of the rustbucket that is registered exactly as the entry says."""
    other = by_facts.get(_facts(entry))
    if other is None or entry.id not in {None, other.id}:
        return None
    same_token = entry.token is None or entry.token == token_of(connection, settings, other.id)
    return other.id if same_token else None


def _facts(one: Entry | Rustbucket) -> _Facts:
    return one.name, one.base_url, one.logs_url, one.ip_address, one.os


def _numbered(lines: list[_Line], known: Sequence[Rustbucket]) -> list[_Line]:
    """The lines with an id each; those given in the file are never given again."""
    taken = {other.id for other in known} | {line.entry.id for line in lines if line.entry.id}
    numbered: list[_Line] = []
    for line in lines:
        given = line.entry.id or registry.next_id(taken)
        taken.add(given)
        numbered.append(replace(line, entry=replace(line.entry, id=given)))
    return numbered


def _clashes(path: Path, lines: list[_Line], known: Sequence[Rustbucket]) -> Iterator[str]:
    for place, line in enumerate(lines):
        for problem in clashes(line.entry, known):
            yield f"{path.name}:{line.number}: {problem}"
        for earlier in lines[:place]:
            for problem in clashes(line.entry, [earlier.entry]):
                yield f"{path.name}:{line.number}: {problem} (line {earlier.number})"
