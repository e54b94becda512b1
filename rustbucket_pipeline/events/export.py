"""Rows of values → CSV, JSON, JSON Lines or Parquet, as they come; what attackers wrote acts in none of them.

CSV is for spreadsheets and eyes: a row is a line, odd characters are shown as escapes, and `'` stands before what a
spreadsheet would compute. JSON is pure ASCII and exact. Parquet holds the text as it is. No terminal, no database here.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, Literal, cast

Kind = Literal["text", "integer", "number", "truth", "time", "json"]
"""What a column holds; any value may be None. `time` is in UTC, `json` any JSON value."""

_COMPUTED = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_INT64 = range(-(2**63), 2**63)


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, and what it holds."""

    name: str
    kind: Kind


Rows = Iterable[Sequence[object]]


def write_rows(form: Format, columns: Sequence[Column], rows: Rows, out: BinaryIO) -> None:
    """Write the rows in that form (not `TABLE`: that is a terminal's); no more than a batch of them is held.

    Raises:
        OSError: `out` can't be written to.
    """
    _WRITERS[form](columns, rows, out)


def columns_found(names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[Column]:
    """The columns of rows of any values: the kind that fits all of a column's, else text."""
    return [Column(name, _kind_of([row[at] for row in rows])) for at, name in enumerate(names)]


def shown(value: object) -> object:
    """A value for a cell that people see: JSON and times as text, the rest as it is."""
    if isinstance(value, datetime):
        return _moment(value)
    return json_text(cast("object", value)) if isinstance(value, dict | list) else value


def inert(text: str) -> str:
    """Text for a spreadsheet's cell: one line, every odd character escaped, and nothing that is computed."""
    line = text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)
    return f"'{line}" if line.lstrip().startswith(_COMPUTED) else line


def json_text(value: object) -> str:
    """JSON in ASCII, whatever the value; what JSON doesn't know is text."""
    try:
        return _strict.encode(value)
    except ValueError:  # NaN and the infinities, which JSON doesn't have
        return _strict.encode(_finite(value))


def _write_csv(columns: Sequence[Column], rows: Rows, out: BinaryIO) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([inert(column.name) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    text.detach()


def _cell(value: object) -> object:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return value
        case bytes():
            return value.hex()
        case str():
            return inert(value)
        case _:
            return inert(str(shown(value)))


def _write_json(columns: Sequence[Column], rows: Rows, out: BinaryIO) -> None:
    before = b"[\n"
    for line in _objects(columns, rows):
        out.write(before + line)
        before = b",\n"
    out.write(b"\n]\n" if before == b",\n" else b"[]\n")


def _write_jsonl(columns: Sequence[Column], rows: Rows, out: BinaryIO) -> None:
    for line in _objects(columns, rows):
        out.write(line + b"\n")


def _objects(columns: Sequence[Column], rows: Rows) -> Iterator[bytes]:
    names = [column.name for column in columns]
    for row in rows:
        yield json_text(dict(zip(names, row, strict=True))).encode("ascii")


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in cast("list[object]", value)]
    return value


def _other(value: object) -> object:
    match value:
        case datetime():
            return _moment(value)
        case Decimal() if value.is_finite():
            return int(value) if value == value.to_integral_value() else float(value)
        case bytes():
            return value.hex()
        case _:
            return str(value)


_strict = json.JSONEncoder(ensure_ascii=True, allow_nan=False, default=_other, separators=(",", ":"))


def _moment(moment: datetime) -> str:
    """RFC 3339, UTC, microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment.tzinfo else moment.isoformat()


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _write_parquet(columns: Sequence[Column], rows: Rows, out: BinaryIO) -> None:
    from pyarrow import parquet  # imported here: a tenth of a second that only Parquet pays

    from rustbucket_pipeline.events.batches import batches_of, schema_of

    with parquet.ParquetWriter(out, schema_of(columns), compression="zstd") as writer:
        for batch in batches_of(columns, rows):
            writer.write_batch(batch)


def _kind_of(values: Sequence[object]) -> Kind:
    present = [value for value in values if value is not None]
    types = {type(value) for value in present}
    if types == {int}:
        return "integer" if all(value in _INT64 for value in present) else "text"
    if types == {datetime}:
        return "time" if all(isinstance(value, datetime) and value.tzinfo for value in present) else "text"
    for kind, fitting in _FITTING:
        if types and types <= fitting:
            return kind
    return "text"


_FITTING: tuple[tuple[Kind, set[type]], ...] = (
    ("truth", {bool}),
    ("number", {int, float, Decimal}),
    ("json", {dict, list}),
)
_WRITERS: dict[Format, Callable[[Sequence[Column], Rows, BinaryIO], None]] = {
    Format.CSV: _write_csv,
    Format.JSON: _write_json,
    Format.JSONL: _write_jsonl,
    Format.PARQUET: _write_parquet,
}
