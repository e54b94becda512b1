"""`rustbucket fleet` as a person types it: what it prints, and one clear line for every mistake."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from rustbucket_pipeline.cli.main import main
from rustbucket_pipeline.storage.tables import rustbuckets
from rustbucket_pipeline_tests.net.loopback import VITALS, answer, loopback


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def rustbucket(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str, tmp_path: Path
) -> Run:
    """Runs `rustbucket fleet …`."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("RUSTBUCKET_ALLOWED_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    def run(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["rustbucket", "fleet", *arguments])
        monkeypatch.setattr(sys, "stdin", StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Ran(int(ended.value.code or 0), printed.out, printed.err)

    return run


def test_the_first_rustbucket_in_three_commands(rustbucket: Run) -> None:
    added = rustbucket("add", "edge-1", "--logs", "s3://logs/honeypot-logs/BKT100001")
    assert (added.code, added.err) == (0, "")
    assert added.out.startswith("BKT100001 (edge-1): registered for review")
    assert rustbucket("approve", "BKT100001").out == "BKT100001 (edge-1): approved\n"
    listed = rustbucket("list")
    assert listed.out.split("\t")[:4] == ["BKT100001", "edge-1", "active", "no"]


def test_everything_can_be_had_as_json(rustbucket: Run) -> None:
    (added,) = json.loads(rustbucket("add", "edge-1", "--logs", "s3://logs/1", "--os", "Debian", "--json").out)
    assert (added["id"], added["status"], added["os"], added["logs_url"]) == (
        "BKT100001",
        "review",
        "Debian",
        "s3://logs/1",
    )
    (listed,) = json.loads(rustbucket("list", "--json").out)
    assert (listed["name"], listed["outcome"]) == ("edge-1", None)
    shown = json.loads(rustbucket("show", "BKT100001", "--json").out)
    assert (shown["name"], shown["alerts"], shown["observations"]) == ("edge-1", [], [])
    assert json.loads(rustbucket("retire", "BKT100001", "--json").out)[0]["status"] == "inactive"


def test_http_is_approved_after_a_probe_and_can_be_forbidden(rustbucket: Run) -> None:
    with loopback(answer(VITALS)) as server:
        rustbucket("add", "edge-1", "--url", server.url)
        refused = rustbucket("approve", "BKT100001", "--http")
        approved = rustbucket("approve", "BKT100001", "--http", "--plain-http")
    assert (refused.code, refused.err.count("\n"), "--plain-http" in refused.err) == (1, 1, True)
    assert approved.out == "BKT100001 (edge-1): approved\n"
    assert "not asked over HTTP any more" in rustbucket("approve", "BKT100001", "--no-http").out


def test_a_token_is_read_from_a_file_or_standard_input_and_never_printed(rustbucket: Run, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("canary-token-1\n", encoding="utf-8")
    ran = [
        rustbucket("add", "one", "--logs", "s3://logs/1", "--token-file", str(tmp_path / "token")),
        rustbucket("add", "two", "--logs", "s3://logs/2", "--token-file", "-", stdin="canary-token-2\n"),
        rustbucket("add", "three", "--logs", "s3://logs/3", "--token-file", "-", stdin="canary token"),
        rustbucket("show", "BKT100001", "--json"),
        rustbucket("list"),
    ]
    assert [one.code for one in ran] == [0, 0, 2, 0, 0]
    assert not any("canary" in one.out + one.err for one in ran)


def test_a_file_is_imported(rustbucket: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.csv"
    file.write_text("name,logs_url\none,s3://logs/1\ntwo,s3://logs/2\n", encoding="utf-8")
    assert rustbucket("import", str(file)).out == (
        "2 registered for review, 0 registered before\nBKT100001\nBKT100002\n"
    )
    assert json.loads(rustbucket("import", str(file), "--json").out) == {
        "added": [],
        "unchanged": ["BKT100001", "BKT100002"],
    }


def test_every_problem_of_a_file_is_a_line_and_the_last_says_what_to_do(rustbucket: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.csv"
    file.write_text("name,logs_url\none,nonsense\n\x1b[2Jtwo,s3://logs/2\n", encoding="utf-8")
    ran = rustbucket("import", str(file))
    lines = ran.err.splitlines()
    assert (ran.code, ran.out, len(lines)) == (2, "", 3)
    assert lines[0].startswith("fleet.csv:2: logs_url 'nonsense'")
    assert lines[1].startswith("fleet.csv:3: name '\\x1b[2Jtwo'")
    assert lines[2] == "error: fleet.csv: 2 problems, nothing was imported; correct them and import it again"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "BKT7"), "no rustbucket 'BKT7'"),
        (("approve", "BKT7"), "no rustbucket 'BKT7'"),
        (("retire", "nonsense"), "no rustbucket 'nonsense'"),
        (("add", "edge"), "logs_url and base_url are both missing"),
        (("add", "edge", "--logs", "file:///srv/logs"), "RUSTBUCKET_SOURCE_ROOTS"),
        (("add", "edge", "--url", "http://169.254.169.254"), "link-local"),
        (("add", "edge", "--logs", "s3://logs/1", "--ip", "10.0.0.5"), "RUSTBUCKET_ALLOWED_NETWORKS"),
        (("add", "edge", "--logs", "s3://logs/1", "--token-file", "/nowhere"), "--token-file"),
        (("approve", "BKT1", "--plain-http"), "--http"),
        (("import", "/nowhere/fleet.csv"), "No such file"),
        (("import", "fleet.xlsx"), "only .csv, .json, .yaml, .yml are read"),
    ],
)
def test_every_mistake_is_one_clear_line(rustbucket: Run, arguments: tuple[str, ...], said: str) -> None:
    ran = rustbucket(*arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("error: ")
    assert said in ran.err


def test_what_came_from_outside_is_shown_escaped(rustbucket: Run, database: Engine) -> None:
    rustbucket("add", "edge-1", "--logs", "s3://logs/1")
    with database.begin() as connection:
        connection.execute(update(rustbuckets).values(name="\x1b[2J\u202eevil\n"))
    for ran in (rustbucket("list"), rustbucket("show", "BKT100001")):
        assert "\\x1b[2J\\u202eevil\\n" in ran.out
        assert "\x1b" not in ran.out


@pytest.mark.parametrize("command", ["add", "list", "show", "approve", "retire", "import"])
def test_every_command_has_help_with_an_example(rustbucket: Run, command: str) -> None:
    ran = rustbucket(command, "--help")
    assert ran.code == 0
    assert "Example: rustbucket fleet " + command in " ".join(ran.out.replace("│", " ").split())
