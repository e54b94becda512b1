"""`rustbucket alerts`, as a person types it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from rustbucket_pipeline.alerts.book import clear, raise_
from rustbucket_pipeline.alerts.desk import escalate
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline_tests.alerts.receivers import service
from rustbucket_pipeline_tests.cli.conftest import Command

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
HOSTILE = "\x1b]0;owned\x07 [red]x[/red] \u202eevil"


def opens(database: Engine, kind: Kind, subject: str, cause: str = "hung", now: datetime = NOW) -> None:
    with database.begin() as connection:
        raise_(connection, kind, subject, cause, kind.severity, now)


@pytest.fixture
def three(database: Engine) -> None:
    opens(database, Kind.POLL_FAILED, "BKT1", "timeout: hung", NOW - timedelta(days=2))
    opens(database, Kind.SECRET_SEEN, "BKT2", HOSTILE)
    opens(database, Kind.LATE_FLOOD, "BKT3")
    with database.begin() as connection:
        clear(connection, Kind.LATE_FLOOD, "BKT3", NOW + timedelta(minutes=1), "no flood in a later pull")


def lines(command: Command, *more: str) -> list[list[str]]:
    ran = command("alerts", "list", *more)
    assert (ran.code, ran.err) == (0, "")
    return [line.split("\t") for line in ran.out.splitlines()]


@pytest.mark.usefixtures("three")
def test_open_alerts_are_listed_newest_first_and_closed_ones_on_request(command: Command) -> None:
    assert [line[1:4] + line[6:7] for line in lines(command)] == [
        ["error", "secret_seen", "BKT2", "open"],
        ["warning", "poll_failed", "BKT1", "open"],
    ]
    assert [line[3] for line in lines(command, "--closed", "1d")] == ["BKT3", "BKT2", "BKT1"]
    assert [line[3] for line in lines(command, "--closed", "1d", "--kind", "late_flood")] == ["BKT3"]
    assert [line[3] for line in lines(command, "--about", "BKT1")] == ["BKT1"]


@pytest.mark.usefixtures("three")
def test_attackers_words_are_shown_and_never_act(command: Command) -> None:
    out = command("alerts", "list").raw + command("alerts", "show", "2").raw
    assert b"\x1b" not in out
    assert "\u202e".encode() not in out
    assert rb"\x1b]0;owned\x07 [red]x[/red] \u202eevil" in out


@pytest.mark.usefixtures("three")
def test_one_is_shown_with_its_meaning_and_everything_that_was_done(command: Command) -> None:
    assert command("alerts", "ack", "1", "--reason", "on it").out == "1 (poll_failed, BKT1): acknowledged\n"
    assert "silent until" in command("alerts", "snooze", "1", "--for", "2d", "--reason", "known").out
    assert command("alerts", "resolve", "1", "2", "--reason", "gone").code == 0
    shown = command("alerts", "show", "1").out
    assert Kind.POLL_FAILED.meaning in shown
    assert f"when {Kind.POLL_FAILED.ends}" in shown
    document = json.loads(command("alerts", "show", "1", "--json").out)
    assert (document["state"], document["closed_by"]) == ("closed", login())
    assert [(act["by"], act["act"], act["reason"]) for act in document["story"]] == [
        (login(), "acknowledged", "on it"),
        (login(), "snoozed", "known"),
        (login(), "resolved", "gone"),
    ]


@pytest.mark.usefixtures("three")
def test_the_state_of_each_is_told(command: Command, database: Engine) -> None:
    command("alerts", "ack", "1")
    command("alerts", "snooze", "2")
    states = {one["id"]: one["state"] for one in json.loads(command("alerts", "list", "--json", "--closed", "1d").out)}
    assert states == {1: "acknowledged", 2: "snoozed", 3: "closed"}
    with database.begin() as connection:
        connection.execute(update(alerts).values(snoozed_until=NOW))
    assert json.loads(command("alerts", "list", "--json").out)[0]["state"] == "open"


@pytest.mark.usefixtures("three")
def test_what_is_resolved_and_still_wrong_is_a_new_alert(command: Command, database: Engine) -> None:
    command("alerts", "resolve", "1")
    opens(database, Kind.POLL_FAILED, "BKT1")
    assert [line[0] for line in lines(command)] == ["4", "2"]


@pytest.mark.usefixtures("three")
def test_an_alert_that_lasts_is_a_severity_worse(command: Command, database: Engine) -> None:
    with database.begin() as connection:
        assert escalate(connection, NOW + timedelta(hours=1)) == 1
        assert escalate(connection, NOW + timedelta(hours=2)) == 0
    assert [line[1] for line in lines(command, "--about", "BKT1")] == ["error"]


def test_a_job_run_with_alert_tells_at_once_what_failed_whatever_is_switched_off(
    command: Command, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service() as chat:
        monkeypatch.setenv("RUSTBUCKET_NOTIFY_URLS", chat.url)
        monkeypatch.setenv("ALERT_ON_FAILURE", "0")
        monkeypatch.setenv("RUSTBUCKET_ARCHIVE_URL", "ftp://nowhere")
        ran = command("jobs", "run", "archive_logs", "--force", "--alert")
        assert ran.code != 0
        assert "alerts: 1 messages about 1 alerts" in ran.out
    (message,) = chat.messages
    assert "run_failed – archive_logs: ConfigurationError" in message["message"]
    assert [line[2] for line in lines(command)] == ["run_failed"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "99"), "no alert 99"),
        (("ack", "1", "99"), "no alert 99"),
        (("resolve", "3"), "alert 3 is closed"),
        (("snooze", "1", "--for", "soon"), "is no time"),
        (("snooze", "1", "--for", "0m"), "ends in the future"),
        (("list", "--kind", "nonsense"), "no kind 'nonsense'"),
    ],
)
@pytest.mark.usefixtures("three")
def test_every_mistake_is_one_clear_line_and_changes_nothing(
    command: Command, arguments: tuple[str, ...], said: str
) -> None:
    ran = command("alerts", *arguments)
    assert (ran.code, ran.raw, ran.err.count("\n")) == (2, b"", 1)
    assert said in ran.err
    assert [line[6] for line in lines(command)] == ["open", "open"]
