"""Files an operator hands in, read into items with their line: CSV, JSON, YAML. What fields mean is `entry.py`'s.

Everything is bounded, and only plain text comes out: no numbers, dates or objects are made of what a file says.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import yaml

from rustbucket_pipeline.errors import BadFile
from rustbucket_pipeline.fleet.entry import shown
from rustbucket_pipeline.model.text import bounded

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes."""
MOST_ITEMS = 5000


@dataclass(slots=True)
class Item:
    """One rustbucket of a file: the line it begins on (from 1), its fields as text, and what is wrong with its form."""

    line: int
    fields: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[str] = field(default_factory=list[str])

    def put(self, name: str, value: str) -> None:
        """Take a field; one that is there twice is a problem."""
        if name in self.fields:
            self.problems.append(f"field {shown(name)} is there twice; keep one")
        self.fields[name] = value


def read_items(path: Path) -> list[Item]:
    """The items of a file, in its order; the ending of its name says which format it has.

    Raises:
        BadFile: it can't be read, is too large, of another kind, or not properly of its format.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BadFile(f"{path.name}: only {', '.join(_READERS)} are read; name the file after its format")
    text = _text(path)
    try:
        items = list(islice(reader(path.name, text), MOST_ITEMS + 1))
    except RecursionError:
        raise BadFile(f"{path.name}: it is nested too deeply; a list of plain items is expected") from None
    if len(items) > MOST_ITEMS:
        raise BadFile(f"{path.name} has more than {MOST_ITEMS} items; split it")
    return items


def _malformed(name: str, line: int, message: str) -> BadFile:
    return BadFile(f"{name}:{line}: {message}; nothing was imported")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            data = handle.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}; name a file that can be read") from error
    if len(data) > LARGEST_FILE:
        raise BadFile(f"{path.name} is larger than {LARGEST_FILE // 1024**2} MiB; split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadFile(f"{path.name}:{line}: not UTF-8; save it as UTF-8") from None


def _read_csv(name: str, text: str) -> Iterator[Item]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        names = next(rows, list[str]())
        line = rows.line_num + 1
        for row in rows:
            if row:
                yield _csv_item(names, row, line)
            line = rows.line_num + 1
    except csv.Error as error:
        raise _malformed(name, rows.line_num, f"not proper CSV ({error})") from None


def _csv_item(names: list[str], row: list[str], line: int) -> Item:
    item = Item(line)
    if len(row) != len(names):
        item.problems.append(f"{len(row)} fields where the heading has {len(names)}; add or remove commas")
    for name, value in zip(names, row, strict=False):
        item.put(name, value)
    return item


def _read_json(name: str, text: str) -> Iterator[Item]:
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs)
    position = _skip_blanks(text, 0)
    if text[position : position + 1] != "[":
        raise _malformed(name, 1, "a JSON list of objects is expected")
    position, line, seen = _skip_blanks(text, position + 1), 1, 0
    while text[position : position + 1] != "]":
        line, seen = line + text.count("\n", seen, position), position
        try:
            value, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise _malformed(name, error.lineno, f"not proper JSON ({error.msg})") from None
        except ValueError:
            raise _malformed(name, line, "a number is too long") from None
        yield _json_item(value, line)
        position = _after_item(name, text, position)


def _after_item(name: str, text: str, position: int) -> int:
    position = _skip_blanks(text, position)
    if text[position : position + 1] == ",":
        return _skip_blanks(text, position + 1)
    if text[position : position + 1] != "]":
        raise _malformed(name, text.count("\n", 0, position) + 1, "not proper JSON (a comma or ] is expected)")
    return position


def _skip_blanks(text: str, position: int) -> int:
    while text[position : position + 1] in {" ", "\t", "\r", "\n"}:
        position += 1
    return position


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it was written, repeated names included."""


def _json_item(value: object, line: int) -> Item:
    item = Item(line)
    if not isinstance(value, _Pairs):
        item.problems.append("an object with named fields is expected")
        return item
    for name, member in value:
        if member is None or (isinstance(member, str | int) and not isinstance(member, bool)):
            item.put(name, "" if member is None else str(member))
        else:
            item.problems.append(f"field {shown(name)} must be text")
    return item


def _read_yaml(name: str, text: str) -> Iterator[Item]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _malformed(name, line, f"not proper YAML ({bounded(error.problem or 'malformed', 100)})") from None
    except yaml.YAMLError:
        raise _malformed(name, 1, "not proper YAML (it has characters YAML doesn't allow)") from None
    if not isinstance(root, yaml.SequenceNode):
        raise _malformed(name, 1, "a YAML list of items is expected")
    for node in root.value:
        yield _yaml_item(node)


def _yaml_item(node: yaml.Node) -> Item:
    item = Item(node.start_mark.line + 1)
    if not isinstance(node, yaml.MappingNode):
        item.problems.append("an item with named fields is expected")
        return item
    for name, value in node.value:
        if isinstance(name, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode):
            item.put(name.value, "" if value.tag == "tag:yaml.org,2002:null" else value.value)
        else:
            item.problems.append("a field must be a name and a text")
    return item


_READERS: dict[str, Callable[[str, str], Iterator[Item]]] = {
    ".csv": _read_csv,
    ".json": _read_json,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}
