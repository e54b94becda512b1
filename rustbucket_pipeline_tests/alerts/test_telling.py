"""Who is told what, when, and how often: real services on loopback, Apprise and Sentry's envelopes as they are sent."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import Engine, insert, select

from rustbucket_pipeline.alerts import desk
from rustbucket_pipeline.alerts.book import clear, raise_
from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.alerts.pending import FAILURES_TOLD, MOST_AN_HOUR, QUIET
from rustbucket_pipeline.alerts.telling import Outcome, digest_due, tell
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alert_deliveries, alerts
from rustbucket_pipeline_tests.alerts.receivers import Service, service

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

HOSTILE = (
    "<!channel> @everyone [click](https://evil.example/x) `rm` 203.0.113.9 \x1b[31m\u202e http://a:s3cret@b.example"
)


@pytest.fixture
def chat() -> Iterator[Service]:
    with service() as taking:
        yield taking


@pytest.fixture
def sentry() -> Iterator[Service]:
    with service() as taking:
        yield taking


class Desk:
    """The book, and ticks of whoever tells."""

    def __init__(self, database: Engine, settings: Settings) -> None:
        self.database, self.settings = database, settings

    def sends_to(self, *, urls: str = "", dsn: str = "", on: bool = True, digest: int | None = None) -> None:
        changed = {"RUSTBUCKET_NOTIFY_URLS": urls, "SENTRY_DSN": dsn, "ALERT_ON_FAILURE": on}
        own = {"RUSTBUCKET_HOME": self.settings.home, "RUSTBUCKET_NOTIFY_DIGEST_HOUR": "" if digest is None else digest}
        self.settings = Settings(**own, RUSTBUCKET_DATABASE_URL=self.settings.database_url, **changed)

    def opens(
        self, kind: Kind, subject: str = "BKT1", cause: str = "hung", now: datetime = NOW, severity: str | None = None
    ) -> None:
        with self.database.begin() as connection:
            raise_(connection, kind, subject, cause, severity or kind.severity, now)

    def closes(self, kind: Kind, subject: str = "BKT1", now: datetime = NOW) -> None:
        with self.database.begin() as connection:
            clear(connection, kind, subject, now, "over")

    def tells(self, now: datetime = NOW, *, forced: bool = False) -> Outcome:
        return tell(self.database, self.settings, now, forced=forced)

    def open_ones(self) -> list[tuple[str, str]]:
        with self.database.connect() as connection:
            return [(one.kind, one.subject) for one in desk.listed(connection)]

    def ids(self) -> list[int]:
        with self.database.connect() as connection:
            return [one.id for one in desk.listed(connection)]


@pytest.fixture
def book(database: Engine, settings: Settings, chat: Service) -> Desk:
    found = Desk(database, settings)
    found.sends_to(urls=chat.url)
    return found


def test_an_alert_is_told_once_and_its_end_once(book: Desk, chat: Service) -> None:
    book.opens(Kind.POLL_FAILED)
    assert book.tells() == Outcome(1, 1, {})
    book.opens(Kind.POLL_FAILED, now=NOW + MINUTE)
    for later in (NOW + MINUTE, NOW + HOUR):
        assert book.tells(later) == Outcome(0, 0, {})
    book.closes(Kind.POLL_FAILED, now=NOW + HOUR)
    for later in (NOW + HOUR, NOW + 2 * HOUR - MINUTE, NOW + 2 * HOUR, NOW + 3 * HOUR):
        book.tells(later)
    assert [message["title"] for message in chat.messages] == [
        "Warning: 1 new (Rustbucket alerts)",
        "Over: 1 over (Rustbucket alerts)",
    ]
    assert "• warning: poll_failed – BKT1 (since 03-02 12:00 UTC): hung" in chat.messages[0]["message"]
    assert "• over: poll_failed – BKT1" in chat.messages[1]["message"]


def test_alerts_of_a_kind_come_together_after_a_quarter_of_an_hour(book: Desk, chat: Service) -> None:
    book.opens(Kind.POLL_FAILED)
    book.tells()
    for number in range(2, 9):
        book.opens(Kind.POLL_FAILED, f"BKT{number}", now=NOW + MINUTE)
        assert book.tells(NOW + number * MINUTE).messages == 0
    book.opens(Kind.RUN_FAILED, "parse_logs: StoreUnavailable", now=NOW + MINUTE)
    assert book.tells(NOW + 9 * MINUTE).alerts == 1
    assert book.tells(NOW + QUIET) == Outcome(1, 7, {})
    assert "… and 4 more: poll_failed, opened" in chat.messages[-1]["message"]


def test_what_comes_and_goes_within_the_quiet_window_is_never_told(book: Desk, chat: Service) -> None:
    book.opens(Kind.POLL_FAILED)
    book.tells()
    book.opens(Kind.POLL_FAILED, "BKT2")
    book.closes(Kind.POLL_FAILED, "BKT2", NOW + MINUTE)
    assert book.tells(NOW + QUIET).messages == 0


def test_what_flaps_is_told_once_and_over_once_it_stays_away(book: Desk, chat: Service) -> None:
    for times in range(12):
        book.opens(Kind.POLL_FAILED, now=NOW + times * HOUR / 2)
        book.tells(NOW + times * HOUR / 2)
        book.closes(Kind.POLL_FAILED, now=NOW + times * HOUR / 2 + QUIET)
        book.tells(NOW + times * HOUR / 2 + QUIET)
    book.tells(NOW + 7 * HOUR)
    assert [message["title"] for message in chat.messages] == [
        "Warning: 1 new (Rustbucket alerts)",
        "Over: 1 over (Rustbucket alerts)",
    ]


def test_what_is_critical_waits_for_nothing(book: Desk) -> None:
    book.opens(Kind.RESTORE_FAILED, "one")
    book.tells()
    book.opens(Kind.RESTORE_FAILED, "two")
    assert book.tells(NOW + MINUTE).alerts == 1


def test_a_storm_of_ten_thousand_causes_is_a_handful_of_messages(
    book: Desk, chat: Service, sentry: Service, database: Engine
) -> None:
    book.sends_to(urls=chat.url, dsn=sentry.dsn)
    kinds = list(Kind)
    storm = [
        {
            "kind": kinds[number % len(kinds)],
            "severity": "error",
            "subject": f"BKT{number}",
            "cause": HOSTILE * 10,
            "opened_at": NOW,
            "last_seen_at": NOW,
        }
        for number in range(10_000)
    ]
    with database.begin() as connection:
        connection.execute(insert(alerts), storm[:100])
    book.tells()
    with database.begin() as connection:
        connection.execute(insert(alerts), storm[100:])
    for minutes in range(5, 120, 5):
        book.tells(NOW + minutes * MINUTE)
    assert len(chat.got) == 2
    assert len(sentry.got) <= 2 * len(kinds)
    assert all(len(message["message"]) <= 1800 for message in chat.messages)
    assert max(len(body) for _, _, body in sentry.got) < 4000


def test_no_target_gets_more_than_six_messages_an_hour_and_what_is_left_comes_in_the_next(
    book: Desk, chat: Service
) -> None:
    kinds = [kind for kind in Kind if kind.severity is Severity.WARNING]
    assert len(kinds) > MOST_AN_HOUR
    for number, kind in enumerate(kinds):
        book.opens(kind)
        book.tells(NOW + number * MINUTE)
    assert len(chat.got) == MOST_AN_HOUR
    assert book.tells(NOW + HOUR + MINUTE) == Outcome(1, len(kinds) - MOST_AN_HOUR, {})


def test_severities_and_kinds_say_who_gets_what(database: Engine, settings: Settings, chat: Service) -> None:
    with service() as errors, service() as polls:
        book = Desk(database, settings)
        book.sends_to(urls=f"{chat.url} error {errors.url} poll_failed,self_traffic_seen {polls.url}")
        book.opens(Kind.POLL_FAILED)
        book.opens(Kind.SECRET_SEEN)
        book.opens(Kind.SELF_TRAFFIC_SEEN)
        assert book.tells() == Outcome(3, 5, {})
        told = [taking.messages[0]["message"] for taking in (chat, errors, polls)]
    kinds = (Kind.POLL_FAILED, Kind.SECRET_SEEN, Kind.SELF_TRAFFIC_SEEN)
    assert [[str(kind) in text for kind in kinds] for text in told] == [
        [True, True, False],
        [False, True, False],
        [True, False, True],
    ]


def test_a_target_that_fails_is_tried_later_and_later_and_stops_no_other(
    database: Engine, settings: Settings, chat: Service
) -> None:
    with service() as broken:
        broken.status = 500
        book = Desk(database, settings)
        book.sends_to(urls=f"{broken.url} {chat.url}")
        book.opens(Kind.POLL_FAILED)
        outcome = book.tells()
        assert (outcome.messages, len(outcome.failed)) == (1, 1)
        moments = [NOW + minutes * MINUTE for minutes in range(1, 12)]
        tried = [moment - NOW for moment in moments if book.tells(moment).failed]
        assert tried == [1 * MINUTE, 3 * MINUTE, 7 * MINUTE]
        ((kind, name),) = [one for one in book.open_ones() if one[0] == Kind.TARGET_FAILED]
        assert kind == "target_failed"
        assert "hunter2" not in name
        assert len(tried) + 1 > FAILURES_TOLD
        broken.status = 200
        book.tells(NOW + 3 * HOUR)
        assert len([one for one in broken.messages if "poll_failed" in one["message"]]) > len(tried)
    assert Kind.TARGET_FAILED not in {kind for kind, _ in book.open_ones()}
    assert len([one for one in chat.messages if "poll_failed" in one["message"]]) == 1


def test_a_target_that_is_taken_out_is_no_longer_complained_of(book: Desk) -> None:
    book.opens(Kind.TARGET_FAILED, "slack abcd")
    book.tells()
    assert book.open_ones() == []


def test_it_is_killed_between_sending_and_noting_it_tells_again(book: Desk, chat: Service, database: Engine) -> None:
    book.opens(Kind.POLL_FAILED)
    book.tells()
    with database.begin() as connection:
        connection.execute(alert_deliveries.delete())
    book.tells(NOW + QUIET)
    assert len(chat.got) == 2


def test_two_who_tell_at_once_tell_once(database: Engine, settings: Settings, chat: Service) -> None:
    book = Desk(database, settings)
    book.sends_to(urls=chat.url)
    book.opens(Kind.POLL_FAILED)
    begun, go_on = Event(), Event()

    def slow(*_: object) -> None:
        begun.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(tell, database, book.settings, NOW, sender=slow)
        assert begun.wait(30)
        second = book.tells()
        go_on.set()
        assert first.result() == Outcome(1, 1, {})
    assert second == Outcome(0, 0, {})
    assert chat.got == []


def test_alert_on_failure_switches_it_off_and_alert_forces_it(book: Desk, chat: Service) -> None:
    book.sends_to(urls=chat.url, on=False)
    book.opens(Kind.POLL_FAILED)
    assert book.tells() == Outcome(0, 0, {})
    assert book.tells(forced=True) == Outcome(1, 1, {})
    book.opens(Kind.POLL_FAILED, "BKT2")
    assert book.tells(forced=True).alerts == 1


def test_what_lasts_gets_worse_once_and_is_told_once_more(book: Desk, chat: Service) -> None:
    book.opens(Kind.POLL_FAILED)
    book.tells()
    for later in (DAY - MINUTE, DAY, DAY + HOUR, 3 * DAY):
        book.opens(Kind.POLL_FAILED, now=NOW + later)
        book.tells(NOW + later)
    assert [message["title"] for message in chat.messages[1:]] == ["Error: 1 lasting (Rustbucket alerts)"]
    assert "error, lasts: poll_failed" in chat.messages[1]["message"]


def test_an_alert_that_somebody_sees_to_or_snoozes_is_silent(book: Desk, chat: Service, database: Engine) -> None:
    book.opens(Kind.POLL_FAILED)
    book.opens(Kind.SECRET_SEEN)
    newest, oldest = book.ids()
    with database.begin() as connection:
        desk.acknowledge(connection, [newest], "ann", "on it", NOW)
        desk.snooze(connection, [oldest], NOW + 2 * DAY, "ann", "known", NOW)
    for later in (0 * DAY, DAY, 2 * DAY - MINUTE):
        assert book.tells(NOW + later).messages == 0
    assert book.tells(NOW + 2 * DAY).alerts == 1
    assert "poll_failed" in chat.messages[0]["message"]


def test_the_night_s_digest_comes_once_and_has_what_was_told_and_what_was_not(book: Desk, chat: Service) -> None:
    book.sends_to(urls=f"error {chat.url}", digest=22)
    book.opens(Kind.SELF_TRAFFIC_SEEN)
    book.opens(Kind.POLL_FAILED)
    book.closes(Kind.POLL_FAILED, now=NOW + HOUR)
    night = NOW.replace(hour=22)
    for later in (NOW, night - MINUTE, night + MINUTE, night + HOUR, night + 7 * HOUR):
        book.tells(later)
    (digest,) = chat.messages
    assert digest["title"] == "The day's alerts (Rustbucket)"
    assert "Open: 1\n" in digest["message"]
    assert "self_traffic_seen" in digest["message"]
    assert "Over since yesterday: 1\n• over: poll_failed" in digest["message"]


def test_a_target_for_the_digest_gets_nothing_else_and_a_quiet_day_none(book: Desk, chat: Service) -> None:
    book.sends_to(urls=f"digest {chat.url}", digest=22)
    night = NOW.replace(hour=22)
    book.tells(NOW)
    book.tells(night)
    book.opens(Kind.SECRET_SEEN, now=night + HOUR)
    book.tells(night + HOUR)
    assert chat.got == []
    book.tells(night + DAY)
    assert [message["title"] for message in chat.messages] == ["The day's alerts (Rustbucket)"]


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        ("UTC", NOW.replace(hour=22), NOW.replace(hour=22)),
        ("UTC", NOW.replace(hour=5, minute=59), NOW.replace(hour=22) - DAY),
        ("UTC", NOW.replace(hour=6), None),
        ("Asia/Tokyo", NOW.replace(hour=13), NOW.replace(hour=13)),
    ],
)
def test_a_digest_s_hour_is_that_of_the_ticks(zone: str, now: datetime, due: datetime | None) -> None:
    assert digest_due(Settings(RUSTBUCKET_TICK_TIMEZONE=zone), now) == due


def test_attackers_words_reach_no_channel_as_more_than_words(book: Desk, chat: Service, sentry: Service) -> None:
    book.sends_to(urls=chat.url, dsn=sentry.dsn)
    book.opens(Kind.NEW_EVENT_TEMPLATE, HOSTILE, HOSTILE, severity="error")
    assert book.tells().messages == 2
    sent = chat.got[0][2].decode() + sentry.got[0][2].decode()
    for acting in ("<!", "@everyone", "https:", "http:", "](", "evil.example", "s3cret", "203.0.113.9", "\x1b", "`"):
        assert acting not in sent, acting
    for harmless in ("hxxps[:]//evil[.]example/x", "(at)everyone", "203.0.113[.]9"):
        assert harmless in sent


def test_sentry_gets_tags_and_nothing_of_this_process(book: Desk, sentry: Service) -> None:
    book.sends_to(dsn=sentry.dsn)
    cause = (
        "the store doesn't answer; wait (windows 2026-03-02-04:00); `rustbucket jobs show parse_logs` lists the runs"
    )
    book.opens(Kind.RUN_FAILED, "parse_logs: StoreUnavailable", cause)
    book.opens(Kind.SECRET_SEEN, "BKT100001", "2 secrets")
    assert book.tells() == Outcome(1, 2, {})
    run, secret = sentry.events
    assert run["tags"] == {
        "kind": "run_failed",
        "state": "opened",
        "cause": cause.replace("`", "'"),
        "job": "parse_logs",
        "window": "2026-03-02-04:00",
    }
    assert secret["tags"]["rustbucket"] == "BKT100001"
    assert run["level"] == "error"
    assert set(run) == {
        *("event_id", "timestamp", "platform", "level", "logger", "logentry", "fingerprint", "tags"),
    }
    path, headers, _ = sentry.got[0]
    assert path == "/api/42/envelope/"
    assert "hunter2key" in headers["X-Sentry-Auth"]


def test_sentry_knows_an_event_that_is_sent_again_and_isn_t_told_that_one_is_over(
    book: Desk, sentry: Service, database: Engine
) -> None:
    book.sends_to(dsn=sentry.dsn)
    book.opens(Kind.SECRET_SEEN)
    book.tells()
    with database.begin() as connection:
        connection.execute(alert_deliveries.delete())
    book.tells(NOW + QUIET)
    book.closes(Kind.SECRET_SEEN, now=NOW + HOUR)
    book.tells(NOW + 3 * HOUR)
    assert len({event["event_id"] for event in sentry.events}) == 1
    assert len(sentry.events) == 2


@pytest.mark.parametrize("dsn", ["nonsense", "https://sentry.example/42", "ftp://key@sentry.example/42"])
def test_an_address_that_is_none_is_a_failure_that_doesn_t_show_it(book: Desk, dsn: str) -> None:
    book.sends_to(dsn=dsn, urls="nosuchservice://hunter2")
    book.opens(Kind.SECRET_SEEN)
    failed = book.tells().failed
    assert len(failed) == 2
    assert "SENTRY_DSN is no address" in " ".join(failed.values())
    assert "hunter2" not in str(failed)


def test_a_service_that_isn_t_there_is_a_failure(book: Desk, chat: Service) -> None:
    chat.server.server_close()
    book.sends_to(urls=f"json://127.0.0.1:{chat.port}/", dsn=f"http://key@127.0.0.1:{chat.port}/1")
    book.opens(Kind.SECRET_SEEN)
    assert len(book.tells().failed) == 2


def test_nobody_imports_what_sends_before_something_is_sent(database_url: str) -> None:
    script = (
        "import sys; from rustbucket_pipeline.definitions import defs; defs().get_repository_def();"
        "print({'apprise', 'sentry_sdk'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.returncode) == ("set()", 0), ran.stderr


def test_deliveries_go_with_their_alert(book: Desk, database: Engine) -> None:
    book.opens(Kind.SECRET_SEEN)
    book.tells()
    with database.begin() as connection:
        connection.execute(alerts.delete())
        assert connection.execute(select(alert_deliveries)).all() == []
