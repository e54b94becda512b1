"""Hostile text on its way out (threats, cases 35 and 58): through a file, the parser, and every form of output."""

import csv
import io

import msgspec
import pytest

from rustbucket_pipeline.events.export import Format, write_rows
from rustbucket_pipeline.events.files import COLUMNS, LogFile

FORMULAS = [
    '=HYPERLINK("http://evil.example","click")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r\n=1+1",
    "+1",
    "-1",
]
ACTING = [
    "\x1b[2J\x1b[H",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;http://evil.example\x1b\\text",
    "\u202egnp.exe",
    "\x9b2J",
    "\u2028",
]


def told(form: Format, texts: list[str]) -> str:
    """A log of commands as parsed and written."""
    lines = b"".join(
        msgspec.json.encode(
            {
                "timestamp": "2026-03-02T00:00:01.000000Z",
                "level": "INFO",
                "fields": {"message": text, "command": text, "username": text, text: text},
                "target": "rustbucket::protocols::ssh_shell",
            }
        )
        + b"\n"
        for text in texts
    )
    out = io.BytesIO()
    write_rows(form, COLUMNS, LogFile("hostile.log", [lines]).records(), out)
    return out.getvalue().decode()


def test_case_58_formulas_and_line_breaks_are_inert_in_csv_one_row_per_record() -> None:
    table = told(Format.CSV, FORMULAS)
    assert len(table.splitlines()) == len(FORMULAS) + 1
    for row, formula in zip(csv.DictReader(table.splitlines()), FORMULAS, strict=True):
        assert row["command"] == row["username"] == row["message"]
        assert row["command"].startswith(("'=", "'@", "'+", "'-", "\\t", "\\r"))
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row.values())
        assert formula.split("=")[-1].strip() in row["command"]


@pytest.mark.parametrize("form", [Format.CSV, Format.JSON, Format.JSONL])
def test_case_35_nothing_in_an_export_acts_on_a_terminal(form: Format) -> None:
    written = told(form, ACTING)
    assert all(character == "\n" or character.isprintable() for character in written)
    assert "gnp.exe" in written
