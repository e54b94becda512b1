"""Rows written as CSV, JSON and Parquet: exact where they can be, inert everywhere (threats, cases 35 and 58)."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.events.export import Column, Format, columns_found, write_rows

FORMULAS = [
    '=HYPERLINK("http://evil.example")',
    "@SUM(1)",
    "+1",
    "-1",
    "  =1+1",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "\n=1",
    "\u00a0=1",
]
ACTING = "\x1b[2J \x1b]52;c;aGk=\x07 \x1b]8;;http://evil\x07 \u202e \x9b \u2028 \0 \x7f \ufeff"
AT = datetime(2026, 3, 2, 1, 2, 3, 4567, tzinfo=UTC)
TEXTS = st.text(st.characters())


def written(form, columns, rows):
    out = io.BytesIO()
    write_rows(form, columns, rows, out)
    return out.getvalue()


def csv_of(*texts):
    return written(Format.CSV, [Column("a", "text"), Column("b", "text")], [[text, "end"] for text in texts]).decode()


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_inert_in_csv_and_one_row(formula):
    [_, row] = csv.reader(io.StringIO(csv_of(formula)))
    assert row[1] == "end"
    assert row[0][0] in "'\\"
    assert not row[0].lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))


def test_line_breaks_leave_a_record_one_line():
    lines = csv_of("a\nb", "c\r\nd", 'e"\n"f', "g\u2028h\x85i\x0bj").split("\n")
    assert lines == ["a,b", "a\\nb,end", "c\\r\\nd,end", '"e""\\n""f",end', "g\\u2028h\\x85i\\x0bj,end", ""]


@pytest.mark.parametrize("form", [Format.CSV, Format.JSON, Format.JSONL])
def test_nothing_acts_on_a_terminal(form):
    text = written(
        form, [Column("a", "text"), Column(f"name{ACTING}", "json")], [[ACTING, {"k" + ACTING: ACTING}]]
    ).decode()
    assert all(character.isprintable() or character == "\n" for character in text)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_any_text_is_a_row_of_csv_and_exact_in_json(rows):
    columns = [Column("a", "text"), Column("b", "text")]
    lines = written(Format.CSV, columns, rows).decode().splitlines()
    assert len(lines) == len(rows) + 1
    assert [len(row) for row in csv.reader(lines)] == [2] * (len(rows) + 1)
    back = [json.loads(line) for line in written(Format.JSONL, columns, rows).splitlines()]
    assert [(row["a"], row["b"]) for row in back] == rows
    assert json.loads(written(Format.JSON, columns, rows)) == back


def test_every_kind_is_written_as_what_it_is():
    columns = [
        Column("text", "text"),
        Column("whole", "integer"),
        Column("number", "number"),
        Column("truth", "truth"),
        Column("at", "time"),
        Column("json", "json"),
    ]
    row = ["ü", -5, Decimal("1.5"), True, AT, {"a": [1, None]}]
    nothing = [None] * 6
    rows = [row, nothing]
    assert json.loads(written(Format.JSON, columns, rows)) == [
        {
            "text": "ü",
            "whole": -5,
            "number": 1.5,
            "truth": True,
            "at": "2026-03-02T01:02:03.004567Z",
            "json": {"a": [1, None]},
        },
        dict.fromkeys(["text", "whole", "number", "truth", "at", "json"]),
    ]
    assert written(Format.CSV, columns, rows).decode().splitlines()[1:] == [
        'ü,-5,1.5,true,2026-03-02T01:02:03.004567Z,"{""a"":[1,null]}"',
        ",,,,,",
    ]
    frame = pd.read_parquet(io.BytesIO(written(Format.PARQUET, columns, rows)))
    assert frame["at"][0] == pd.Timestamp(AT)
    assert str(frame["at"].dtype) == "datetime64[us, UTC]"
    assert list(frame.iloc[0, :3]) == ["ü", -5, 1.5]
    assert frame["json"][0] == '{"a":[1,null]}'
    assert frame.iloc[1].isna().all()


def test_parquet_holds_text_as_it_is_and_escapes_what_no_text_can_hold():
    texts = [ACTING, "=1+1", "a\nb", "half \udc80"]
    frame = pd.read_parquet(io.BytesIO(written(Format.PARQUET, [Column("a", "text")], [[text] for text in texts])))
    assert list(frame["a"]) == [*texts[:3], "half \\udc80"]


def test_numbers_that_json_does_not_have_are_text():
    rows = [[float("nan"), {"a": [float("inf")]}]]
    line = written(Format.JSONL, [Column("a", "number"), Column("b", "json")], rows)
    assert json.loads(line, parse_constant=pytest.fail) == {"a": "nan", "b": {"a": ["inf"]}}


def test_no_rows_are_a_document_too():
    columns = [Column("a", "text")]
    assert written(Format.JSON, columns, []) == b"[]\n"
    assert written(Format.JSONL, columns, []) == b""
    assert written(Format.CSV, columns, []) == b"a\n"
    assert list(pd.read_parquet(io.BytesIO(written(Format.PARQUET, columns, []))).columns) == ["a"]


def test_columns_of_any_values_get_the_kind_that_fits_all():
    rows = [
        [1, 1, True, AT, {"a": 1}, 2**70, None, b"\xff", AT.replace(tzinfo=None)],
        [2, 2.5, None, None, [1], 1, None, None, None],
    ]
    kinds = [column.kind for column in columns_found("abcdefghi", rows)]
    assert kinds == ["integer", "number", "truth", "time", "json", "text", "text", "text", "text"]
    frame = pd.read_parquet(io.BytesIO(written(Format.PARQUET, columns_found("abcdefghi", rows), rows)))
    assert list(frame["f"]) == [str(2**70), "1"]
    assert frame["h"][0] == "ff"
