"""The words for a row: on the page and in the JSON Schema as in the code, and every row is as they say."""

import json
import re
import runpy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rustbucket_pipeline.events import trust
from rustbucket_pipeline.events.dialects import DIALECTS
from rustbucket_pipeline.events.row import EVENT_TYPES, EventRow
from rustbucket_pipeline.events.schema import COLUMNS, DOUBTS, NOTES, TYPES, json_schema
from rustbucket_pipeline.framing.times import moment_of
from rustbucket_pipeline.settings import PROJECT_ROOT
from rustbucket_pipeline.storage.tables import log_events
from rustbucket_pipeline_tests.events.reading import fields_of, parsed

GOLDEN = Path(__file__).parent.parent / "golden" / "events"
EVENTS = Path(trust.__file__).parent
VALIDATOR = Draft202012Validator(json_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_page_and_the_schema_are_made_from_the_code():
    maker = runpy.run_path(str(PROJECT_ROOT / "docs" / "event_schema.py"))
    page = maker["PAGE"].read_text(encoding="utf-8")
    assert page == maker["page"](page)
    assert maker["SCHEMA"].read_text(encoding="utf-8") == maker["schema"]()


def test_the_schema_is_one():
    Draft202012Validator.check_schema(json_schema())


def test_every_column_type_and_dialect_has_its_word():
    assert tuple(COLUMNS) == EventRow._fields == tuple(log_events.columns.keys())
    assert set(TYPES) == EVENT_TYPES
    assert set(COLUMNS["dialect"].values) == {dialect.name for dialect in DIALECTS}


def test_every_note_and_every_doubt_has_its_word():
    code = "\n".join(path.read_text(encoding="utf-8") for path in EVENTS.rglob("*.py") if path.name != "schema.py")
    assert {note for note in re.findall(r'notes?\["(_\w+)"\]|"(_\w+)": plain', code) for note in note if note} == set(
        NOTES
    )
    doubts = (EVENTS / "trust.py").read_text(encoding="utf-8")
    assert set(re.findall(r'(?:yield|\() ?"([a-z ]+)"', doubts)) == set(DOUBTS)


@pytest.mark.parametrize("dialect", ["json", "kv", "proto", "classic"])
def test_every_golden_row_is_as_the_schema_says(dialect):
    found, _ = parsed((GOLDEN / f"{dialect}.log").read_bytes())
    types = set()
    for row in found:
        assert isinstance(row, EventRow)
        told = row._asdict() | {
            "event_ts": moment_of(row.event_ts).isoformat(),
            "claimed_ts": None if row.claimed_ts is None else moment_of(row.claimed_ts).isoformat(),
            "fields": fields_of(row) or None,
        }
        assert [error.message for error in VALIDATOR.iter_errors(json.loads(json.dumps(told)))] == []
        types.add(row.event_type)
    assert len(types) > 4


def test_a_row_that_says_something_else_is_refused():
    assert not VALIDATOR.is_valid({"event_id": "x"})
    row = dict.fromkeys(COLUMNS)
    assert {error.json_path for error in VALIDATOR.iter_errors(row)} >= {"$.event_id", "$.event_type", "$.trust"}
