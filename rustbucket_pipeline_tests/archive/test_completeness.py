"""Completeness: what every hour of every rustbucket is, and that silence proves nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from rustbucket_pipeline.archive.completeness import Arrival, Build, HourState, hours_between, waive
from rustbucket_pipeline.archive.promises import everybody_reporting, no_gaps
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.storage import builds
from rustbucket_pipeline.storage.tables import rustbucket_status, rustbuckets, segments, source_files, window_builds
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines

DUE = timedelta(hours=2, minutes=15)
MOMENT = timedelta(microseconds=1)
TEN, ELEVEN, TWELVE = (NINE + n * HOUR for n in (1, 2, 3))

State = Callable[..., HourState]


@pytest.fixture
def state(fleet: FleetOnDisk) -> State:
    """The state of an hour at a time; approved at eight o'clock."""
    with fleet.engine.begin() as connection:
        connection.execute(update(rustbuckets).values(approved_at=NINE - HOUR))

    def state(hour: datetime, now: datetime, rustbucket_id: str = BKT) -> HourState:
        with fleet.engine.connect() as connection:
            (found,) = hours_between(connection, hour, hour + HOUR, now, [rustbucket_id])
        return found

    return state


def send(fleet: FleetOnDisk, hour: datetime, **more: str) -> None:
    fleet.write(f"abc/rustbucket.log.{hour:%Y-%m-%d-%H}", hour_of_lines(hour), **more)
    fleet.now = hour + HOUR + timedelta(minutes=30)
    fleet.pull()


def test_an_hour_with_bytes_is_received(fleet: FleetOnDisk, state: State) -> None:
    send(fleet, NINE)
    found = state(NINE, TEN + HOUR)
    assert (found.arrival, found.why) == (Arrival.RECEIVED, f"{len(hour_of_lines(NINE)):,} bytes archived")


def test_an_hour_that_isn_t_over_is_pending_whatever_came_of_it(fleet: FleetOnDisk, state: State) -> None:
    send(fleet, NINE)
    assert state(NINE, TEN - MOMENT).arrival is Arrival.PENDING
    assert state(TEN, TEN).arrival is Arrival.PENDING


def test_silence_is_pending_until_its_deadline_then_missing_and_never_quiet(fleet: FleetOnDisk, state: State) -> None:
    send(fleet, NINE)
    for _ in range(3):
        fleet.pull(later=HOUR)  # an empty listing moves nothing
    assert state(TEN, ELEVEN + DUE - MOMENT).arrival is Arrival.PENDING
    for late in (DUE, timedelta(days=1), timedelta(days=90)):
        found = state(TEN, ELEVEN + late)
        assert found.arrival is Arrival.MISSING
        assert found.why == "was due by 2026-03-02 13:15 UTC; last record 2026-03-02 09:59 UTC"


def test_one_from_which_nothing_ever_came_is_missing_too(state: State) -> None:
    assert state(NINE, TEN + DUE).why == "was due by 2026-03-02 12:15 UTC; nothing ever came"


def test_a_later_record_proves_an_empty_hour_quiet(fleet: FleetOnDisk, state: State) -> None:
    send(fleet, NINE)
    send(fleet, ELEVEN)
    found = state(TEN, TWELVE + DUE)
    assert found.arrival is Arrival.QUIET
    assert "until 2026-03-02 11:59 UTC" in found.why


def test_late_bytes_turn_missing_or_quiet_into_received(fleet: FleetOnDisk, state: State) -> None:
    send(fleet, NINE)
    send(fleet, ELEVEN)
    send(fleet, TEN)
    assert state(TEN, TWELVE + DUE).arrival is Arrival.RECEIVED


def test_another_rustbucket_s_records_prove_nothing(fleet: FleetOnDisk, state: State) -> None:
    fleet.register("BKT100002")
    send(fleet, ELEVEN, rustbucket_id="BKT100002")
    assert state(TEN, TWELVE + DUE).arrival is Arrival.MISSING


def test_an_answer_proves_quiet_only_together_with_the_log_and_only_after_the_hour(
    fleet: FleetOnDisk, state: State
) -> None:
    answered = {"rustbucket_id": BKT, "outcome": "ok"}
    with fleet.engine.begin() as connection:
        connection.execute(insert(rustbucket_status).values(observed_at=ELEVEN, **answered))
    assert state(TEN, TWELVE + DUE).arrival is Arrival.MISSING
    log = {"key": "extract_logs", "size": 0, "consumed": 0, "prefix_sha256": "", "clock": NINE, "after_text": False}
    with fleet.engine.begin() as connection:
        seen = {"first_seen_at": NINE, "last_seen_at": ELEVEN - MOMENT}
        connection.execute(insert(source_files).values(rustbucket_id=BKT, **log, **seen))
    assert state(TEN, TWELVE + DUE).arrival is Arrival.MISSING
    with fleet.engine.begin() as connection:
        connection.execute(update(source_files).values(last_seen_at=ELEVEN))
    assert state(TEN, TWELVE + DUE).arrival is Arrival.QUIET
    assert state(ELEVEN, TWELVE + DUE).arrival is Arrival.MISSING


@pytest.mark.parametrize("outcome", ["decoy", "invalid", "timeout", "arrival"])
def test_whatever_isn_t_a_valid_answer_proves_nothing(fleet: FleetOnDisk, state: State, outcome: str) -> None:
    log = {"key": "extract_logs", "size": 0, "consumed": 0, "prefix_sha256": "", "clock": NINE, "after_text": False}
    with fleet.engine.begin() as connection:
        seen = {"first_seen_at": NINE, "last_seen_at": TWELVE}
        connection.execute(insert(source_files).values(rustbucket_id=BKT, **log, **seen))
        connection.execute(insert(rustbucket_status).values(rustbucket_id=BKT, observed_at=TWELVE, outcome=outcome))
    assert state(TEN, TWELVE + DUE).arrival is Arrival.MISSING


def test_who_sends_daily_files_has_26_hours(fleet: FleetOnDisk, state: State) -> None:
    fleet.write("abc/rustbucket.log.2026-03-02", hour_of_lines(NINE))
    fleet.now = NINE + HOUR
    fleet.pull()
    assert state(TEN, ELEVEN + timedelta(hours=26) - MOMENT).arrival is Arrival.PENDING
    assert state(TEN, ELEVEN + timedelta(hours=26)).arrival is Arrival.MISSING


def test_what_the_source_deleted_first_is_expired_from_where_the_archive_ends(fleet: FleetOnDisk, state: State) -> None:
    fleet.write("abc/rustbucket.log.2026-03-02", hour_of_lines(NINE) + hour_of_lines(TEN)[:1000])
    fleet.now = TEN + timedelta(minutes=30)
    fleet.pull()
    gone = {"expired_at": TWELVE, "unarchived": "it was gone"}
    with fleet.engine.begin() as connection:
        connection.execute(update(source_files).values(gone))
    found = [state(hour, TWELVE).arrival for hour in (NINE, TEN, ELEVEN)]
    assert found == [Arrival.RECEIVED, Arrival.EXPIRED, Arrival.EXPIRED]
    assert "gone from the source on 2026-03-02 12:00 UTC" in state(TEN, TWELVE).why


def test_a_waiver_says_who_and_why_and_ends_when_the_hour_arrives(fleet: FleetOnDisk, state: State) -> None:
    with fleet.engine.begin() as connection:
        waive(connection, BKT, TEN, "ann", "moved \x1b[2J house", TWELVE + DUE)
    found = state(TEN, TWELVE + DUE)
    assert (found.arrival, found.why) == (Arrival.WAIVED, "waived by ann: moved \\x1b[2J house")
    send(fleet, TEN)
    assert state(TEN, TWELVE + DUE).arrival is Arrival.RECEIVED


def test_an_expired_hour_can_be_waived(fleet: FleetOnDisk, state: State) -> None:
    period = {"period_start": TEN, "period_end": ELEVEN, "expired_at": TWELVE, "unarchived": "it was gone"}
    log = {"key": "a", "size": 9, "consumed": 0, "prefix_sha256": "", "clock": TWELVE, "after_text": False}
    with fleet.engine.begin() as connection:
        seen = {"first_seen_at": NINE, "last_seen_at": TWELVE}
        connection.execute(insert(source_files).values(rustbucket_id=BKT, **log, **period, **seen))
    assert state(TEN, TWELVE).arrival is Arrival.EXPIRED
    with fleet.engine.begin() as connection:
        waive(connection, BKT, TEN, "ann", "known", TWELVE)
    assert state(TEN, TWELVE).arrival is Arrival.WAIVED


def test_what_arrived_or_isn_t_expected_can_t_be_waived(fleet: FleetOnDisk, state: State) -> None:
    send(fleet, NINE)
    send(fleet, ELEVEN)
    with fleet.engine.begin() as connection:
        for hour, said in ((NINE, "is received"), (TEN, "is quiet"), (NINE - 2 * HOUR, "wasn't expected")):
            with pytest.raises(UsageError, match=said):
                waive(connection, BKT, hour, "ann", "why not", TWELVE + DUE)
        with pytest.raises(UsageError, match="needs a reason"):
            waive(connection, BKT, TWELVE, "ann", " ", TWELVE + DUE)


def test_there_are_no_hours_before_approval_or_after_retirement(fleet: FleetOnDisk) -> None:
    with fleet.engine.begin() as connection:
        life = {"approved_at": TEN + HOUR / 2, "retired_at": TWELVE + HOUR / 2, "status": "inactive"}
        connection.execute(update(rustbuckets).values(life))
        found = hours_between(connection, NINE, NINE + timedelta(days=2), NINE + timedelta(days=9))
        assert [one.hour for one in found] == [TEN, ELEVEN, TWELVE]
        connection.execute(update(rustbuckets).values(status="review"))
        assert hours_between(connection, NINE, NINE + timedelta(days=2), NINE + timedelta(days=9)) == []


def test_rows_are_unbuilt_fresh_or_stale_by_what_they_were_built_from(fleet: FleetOnDisk, state: State) -> None:
    send(fleet, NINE)
    assert state(NINE, TWELVE).build is Build.UNBUILT
    hour = Window(NINE, HOUR)
    with fleet.engine.begin() as connection:
        inputs = builds.inputs_version(connection, "parsed_logs", hour, "7")
        builds.record_build(connection, builds.Build("parsed_logs", hour, inputs, "rows", "7", None), TWELVE)
    assert state(NINE, TWELVE).build is Build.FRESH
    with fleet.engine.begin() as connection:
        late = update(window_builds).where(window_builds.c.window_start == NINE + HOUR / 2)
        connection.execute(late.where(window_builds.c.asset == "log_archives").values(output_version="more"))
    assert state(NINE, TWELVE).build is Build.STALE


def test_the_view_alone_goes_by_the_clock(fleet: FleetOnDisk, state: State) -> None:
    with fleet.engine.connect() as connection:
        rows = connection.execute(text("SELECT arrival, count(*) FROM rustbucket_hours GROUP BY 1")).all()
    arrivals = dict(row._tuple() for row in rows)
    assert set(arrivals) == {"missing", "pending"}
    assert arrivals["pending"] in {3, 4}  # the hour in progress, and those whose 2 h 15 min aren't over
    assert state(NINE, TEN).arrival is Arrival.PENDING


def test_replaying_the_same_tree_ten_times_changes_no_row_object_or_state(fleet: FleetOnDisk, state: State) -> None:
    for hour in (NINE, ELEVEN):
        send(fleet, hour)
    now = TWELVE + timedelta(days=1)

    def everything() -> tuple[object, ...]:
        with fleet.engine.connect() as connection:
            hours = hours_between(connection, NINE - HOUR, now, now)
            chain = connection.execute(select(segments.c.chain_sha256).order_by(segments.c.id)).scalars().all()
        return fleet.counts(), fleet.versions(), hours, chain

    before = everything()
    for _ in range(10):
        fleet.pull(later=HOUR)
    assert everything() == before
    assert state(TEN, now).arrival is Arrival.QUIET


def test_gaps_and_silence_fail_their_checks_and_so_does_knowing_nothing(fleet: FleetOnDisk, state: State) -> None:
    def kept(now: datetime) -> tuple[bool, bool]:
        with fleet.engine.connect() as connection:
            return no_gaps(connection, NINE, now).kept, everybody_reporting(connection, now).kept

    assert kept(NINE + HOUR / 2) == (False, False)
    send(fleet, NINE - HOUR)
    send(fleet, NINE)
    assert kept(TEN + HOUR) == (True, True)
    assert kept(ELEVEN + DUE) == (False, False)
    send(fleet, ELEVEN)
    assert kept(TWELVE) == (True, True)
    assert state(TEN, TWELVE).arrival is Arrival.QUIET
