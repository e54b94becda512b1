"""One open alert for each kind and subject, whoever raises it how often; closed once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, Row, select

from rustbucket_pipeline.alerts.book import CALM, clear, raise_
from rustbucket_pipeline.alerts.desk import resolve
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.storage.alert_tables import alerts

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)


def _raise(database: Engine, cause: str = "hung", now: datetime = NOW, subject: str = "BKT1") -> None:
    with database.begin() as connection:
        raise_(connection, Kind.POLL_FAILED, subject, cause, Kind.POLL_FAILED.severity, now)


def _clear(database: Engine, now: datetime = LATER, subject: str = "BKT1") -> None:
    with database.begin() as connection:
        clear(connection, Kind.POLL_FAILED, subject, now, "answered")


def _rows(database: Engine) -> Sequence[Row[tuple[object, ...]]]:
    with database.connect() as connection:
        return connection.execute(select(alerts).order_by(alerts.c.id)).all()


def test_an_alert_opens_once_and_counts_while_it_lasts(database: Engine) -> None:
    _raise(database)
    _raise(database, "refused", LATER)
    (row,) = _rows(database)
    assert (row.kind, row.severity, row.subject, row.cause, row.count) == (
        "poll_failed",
        "warning",
        "BKT1",
        "refused",
        2,
    )
    assert (row.opened_at, row.last_seen_at, row.closed_at) == (NOW, LATER, None)


def test_a_late_report_doesnt_turn_time_back(database: Engine) -> None:
    _raise(database, now=LATER)
    _raise(database, now=NOW)
    assert _rows(database)[0].last_seen_at == LATER


def test_clearing_closes_it_once_and_says_who_did(database: Engine) -> None:
    _raise(database)
    _clear(database)
    _clear(database, LATER + timedelta(hours=1))
    (row,) = _rows(database)
    assert (row.closed_at, row.closed_by) == (LATER, "answered")


def test_clearing_what_isnt_open_does_nothing(database: Engine) -> None:
    _clear(database)
    assert _rows(database) == []


def test_what_comes_back_within_the_hour_was_never_over(database: Engine) -> None:
    _raise(database)
    _clear(database)
    _raise(database, "hung again", LATER + CALM)
    _clear(database, LATER + CALM)
    (row,) = _rows(database)
    assert (row.opened_at, row.cause, row.count, row.closed_at) == (NOW, "hung again", 2, LATER + CALM)


def test_what_comes_back_later_is_a_new_alert(database: Engine) -> None:
    _raise(database)
    _clear(database)
    _raise(database, now=LATER + CALM + timedelta(seconds=1))
    assert [(row.count, row.closed_at) for row in _rows(database)] == [(1, LATER), (1, None)]


def test_what_a_person_resolved_stays_closed_and_what_is_still_wrong_is_a_new_alert(database: Engine) -> None:
    _raise(database)
    with database.begin() as connection:
        resolve(connection, [_rows(database)[0].id], "ann", "lost", LATER)
    _raise(database, now=LATER + timedelta(minutes=1))
    assert [row.closed_at for row in _rows(database)] == [LATER, None]


def test_many_who_open_one_again_at_once_open_one(database: Engine) -> None:
    _raise(database)
    _clear(database)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _raise(database, now=LATER + timedelta(minutes=1)), range(40)))
    assert [(row.count, row.closed_at) for row in _rows(database)] == [(41, None)]


def test_each_subject_has_its_own(database: Engine) -> None:
    _raise(database)
    _raise(database, subject="BKT2")
    _clear(database, subject="BKT2")
    assert [(row.subject, row.closed_at is None) for row in _rows(database)] == [("BKT1", True), ("BKT2", False)]


def test_many_at_once_are_one_alert(database: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _raise(database), range(40)))
    assert [row.count for row in _rows(database)] == [40]


def test_a_hostile_cause_is_kept_bounded_and_escaped(database: Engine) -> None:
    _raise(database, "\x00\x1b[2J\u202e" + "a" * 10_000, subject="BKT1\n")
    (row,) = _rows(database)
    assert row.cause.startswith(r"\x00\x1b[2J\u202eaaa")
    assert (len(row.cause), row.subject) == (1000, r"BKT1\n")


def test_an_alert_is_undone_with_what_it_is_about(database: Engine) -> None:
    with database.connect() as connection:
        raise_(connection, Kind.SILENT_SENSOR, "BKT1", "nothing", "warning", NOW)
        connection.rollback()
    assert _rows(database) == []


def test_every_kind_says_what_it_means_and_how_severe_it_is() -> None:
    assert all(kind.meaning and kind.severity in {"info", "warning", "error", "critical"} for kind in Kind)
    assert len({kind.meaning for kind in Kind}) == len(Kind)
