"""A file is imported whole or not at all; every problem is named by file and line, all of them at once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.errors import BadFile
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.importing import Imported, import_file
from rustbucket_pipeline.fleet.tokens import token_reader
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.fleet.conftest import NOW, Register

Import = Callable[[str, str], Imported]

CSV = """id,name,logs_url,base_url,ip_address,os,token
BKT100001,edge-1,s3://logs/1,,8.8.8.8,Debian,canary-token-1
,edge-2,s3://logs/2,https://8.8.4.4,,,
"""
JSON = """[
  {"id": "BKT100001", "name": "edge-1", "logs_url": "s3://logs/1",
   "ip_address": "8.8.8.8", "os": "Debian", "token": "canary-token-1"},
  {"name": "edge-2", "logs_url": "s3://logs/2", "base_url": "https://8.8.4.4", "os": null}
]"""
YAML = """# the fleet
- id: BKT100001
  name: edge-1
  logs_url: s3://logs/1
  ip_address: 8.8.8.8
  os: Debian
  token: canary-token-1
- {name: edge-2, logs_url: "s3://logs/2", base_url: https://8.8.4.4, os: }
"""


@pytest.fixture
def import_text(database: Engine, fleet_settings: Settings, tmp_path: Path) -> Import:
    """Imports a file of that name and content."""

    def import_it(name: str, text: str) -> Imported:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return import_file(database, fleet_settings, file, NOW)

    return import_it


def _ids(database: Engine) -> list[str]:
    with database.connect() as connection:
        return [one.id for one in registry.everyone(connection)]


def _problems(import_text: Import, name: str, text: str) -> list[str]:
    with pytest.raises(BadFile) as caught:
        import_text(name, text)
    return list(caught.value.problems) or [str(caught.value)]


@pytest.mark.parametrize(("name", "text"), [("f.csv", CSV), ("f.json", JSON), ("f.yaml", YAML), ("F.YML", YAML)])
def test_every_format_says_the_same_and_twice_changes_nothing(
    database: Engine, fleet_settings: Settings, import_text: Import, name: str, text: str
) -> None:
    assert import_text(name, text).added == ("BKT100001", "BKT100002")
    with database.connect() as connection:
        first, second = registry.everyone(connection)
    assert (first.name, first.ip_address, first.os, first.base_url) == ("edge-1", "8.8.8.8", "Debian", None)
    assert (second.name, second.base_url, second.os) == ("edge-2", "https://8.8.4.4", None)
    assert token_reader(database, fleet_settings)("BKT100001") == "canary-token-1"
    assert import_text(name, text) == Imported((), ("BKT100001", "BKT100002"))


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read(import_text: Import) -> None:
    assert len(import_text("f.csv", "\ufeff" + CSV.replace("\n", "\r\n")).added) == 2


BAD_CSV = 'name,logs_url\nedge-1,s3://logs/1\n"two\nlines",s3://logs/2\n\nedge-4,nonsense\nedge-5,s3://logs/1/below,x\n'
BAD_JSON = """[
  {"name": "edge-1", "logs_url": "s3://logs/1"},
  {"name": "two\\nlines", "logs_url": "s3://logs/2"},


  {"name": "edge-4", "logs_url": "nonsense"},
  {"name": ["edge-5"], "logs_url": "s3://logs/1/below"}
]"""
BAD_YAML = """- {name: edge-1, logs_url: s3://logs/1}
-
  name: "two\\nlines"
  logs_url: s3://logs/2
-

  name: edge-4
  logs_url: nonsense
- name: [edge-5]
  logs_url: s3://logs/1/below
"""


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [("f.csv", BAD_CSV, [3, 6, 7]), ("f.json", BAD_JSON, [3, 6, 7, 7]), ("f.yaml", BAD_YAML, [3, 7, 9, 9])],
)
def test_every_problem_is_named_by_line_and_nothing_is_imported(
    database: Engine, import_text: Import, name: str, text: str, lines: list[int]
) -> None:
    problems = _problems(import_text, name, text)
    assert [int(problem.removeprefix(f"{name}:").partition(":")[0]) for problem in problems] == lines
    assert all(problem.isprintable() for problem in problems)
    assert _ids(database) == []


def test_clashes_within_the_file_name_both_lines(database: Engine, import_text: Import) -> None:
    text = "name,logs_url\na,s3://logs/1\nb,s3://logs/2\nc,s3://logs/1\n"
    (problem,) = _problems(import_text, "f.csv", text)
    assert problem.startswith("f.csv:4: logs_url s3://logs/1 overlaps")
    assert "(line 2)" in problem
    assert _ids(database) == []


def test_clashes_with_the_registry_are_named(database: Engine, register: Register, import_text: Import) -> None:
    register("edge", logs_url="s3://logs/1")
    (problem,) = _problems(import_text, "f.csv", "name,logs_url\na,s3://logs/2\nother,s3://logs/1\n")
    assert "f.csv:3:" in problem
    assert "of BKT100001" in problem
    assert _ids(database) == ["BKT100001"]


def test_a_changed_item_is_a_clash_and_not_an_update(import_text: Import) -> None:
    import_text("f.csv", CSV)
    for changed in (CSV.replace("Debian", "Alpine"), CSV.replace("canary-token-1", "another-token")):
        (problem,) = _problems(import_text, "f.csv", changed)
        assert "f.csv:2: BKT100001 exists already" in problem


def test_an_id_given_later_in_the_file_isnt_given_to_an_earlier_line(import_text: Import) -> None:
    text = "id,name,logs_url\n,a,s3://logs/1\nBKT100001,b,s3://logs/2\n"
    assert import_text("f.csv", text).added == ("BKT100002", "BKT100001")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("f.txt", "", "only .csv, .json, .yaml, .yml are read"),
        ("f.csv", 'name,logs_url\na,"unclosed\n', "f.csv:2: not proper CSV"),
        ("f.csv", "name,colour,logs_url\na,red,s3://b/c\n", "f.csv:2: unknown field 'colour'"),
        ("f.json", '{"name": "a"}', "a JSON list"),
        ("f.json", '[\n{"name": "a",\n}]', "f.json:3: not proper JSON"),
        ("f.json", '[{"name": "a", "name": "b", "logs_url": "s3://logs/1"}]', "field 'name' is there twice"),
        ("f.json", "[1]", "f.json:1: an object"),
        ("f.json", '[\n{"name": "a", "logs_url": "s3://logs/1"} 5', "f.json:2: not proper JSON"),
        ("f.json", '[\n{"name": "a", "logs_url": "s3://logs/1"}', "f.json:2: not proper JSON"),
        ("f.json", "[" + "9" * 5000 + "]", "f.json:1: a number is too long"),
        ("f.json", "[" * 100_000, "nested too deeply"),
        ("f.yaml", "a: b", "a YAML list"),
        ("f.yaml", "- name: a\n  logs_url: [", "f.yaml:2: not proper YAML"),
        ("f.yaml", "- name: a\n\tb: c", "f.yaml:2: not proper YAML"),
        ("f.yaml", "- {name: a, name: b, logs_url: s3://logs/1}", "is there twice"),
        ("f.yaml", "- \x07", "not proper YAML"),
        ("f.yaml", "- " + "[" * 1_500, "nested too deeply"),
        ("f.yaml", "- !!python/object/apply:os.system ['true']", "f.yaml:1: an item"),
        ("f.yaml", "", "a YAML list"),
    ],
)
def test_a_malformed_file_is_one_clear_line(
    database: Engine, import_text: Import, name: str, text: str, said: str
) -> None:
    problems = _problems(import_text, name, text)
    assert said in problems[0]
    assert problems[0].isprintable()
    assert _ids(database) == []


def test_a_bomb_of_aliases_is_refused(import_text: Import) -> None:
    levels = [f"&a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 12)]
    assert _problems(import_text, "f.yaml", "- &a0 [x]\n" + "\n".join(f"- {level}" for level in levels))


def test_a_file_that_is_too_large_missing_or_not_utf8_is_named(
    database: Engine, fleet_settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "large.csv").write_bytes(b"x" * (4 * 1024 * 1024 + 1))
    (tmp_path / "latin.csv").write_bytes("name\nM\xfcnchen\n".encode("latin-1"))
    (tmp_path / "many.yaml").write_text("- {}\n" * 5001, encoding="utf-8")
    wrong = {"large.csv": "larger", "latin.csv": ":2: not UTF-8", "none.csv": "No such file", "many.yaml": "more than"}
    for name, said in wrong.items():
        with pytest.raises(BadFile, match=said):
            import_file(database, fleet_settings, tmp_path / name, NOW)
