"""What people say of windows: marks that hold until inputs change, waivers, resets and the gaps they leave."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import BigInteger, Engine, Integer, func, select

from rustbucket_pipeline.archive.completeness import Arrival, hours_between
from rustbucket_pipeline.control import marks
from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, PARSE_LOGS, Job
from rustbucket_pipeline.control.plan import Planned, Standing, Taker
from rustbucket_pipeline.control.states import CODE_VERSIONS, note_requests, stale_windows
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.builds import EMPTY, Build, inputs_version, record_build, versions_between
from rustbucket_pipeline.storage.plan_tables import window_marks, window_requests
from rustbucket_pipeline.storage.tables import hour_counts, rustbuckets

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=9, minutes=20)
FIRST, SECOND = Window(MIDNIGHT, HOUR), Window(MIDNIGHT + HOUR, HOUR)


@pytest.fixture
def since_midnight(settings: Settings) -> Settings:
    return settings.model_copy(update={"since": MIDNIGHT})


@pytest.fixture
def archived(database: Engine) -> Engine:
    """Two hours of logs, archived and nothing else."""
    for half in Window(MIDNIGHT, 2 * HOUR).parts(HALF_HOUR):
        build(database, "log_archives", half, f"bytes of {half.key}")
    return database


def build(engine: Engine, asset: str, window: Window, output: str, now: datetime = NOW) -> None:
    with engine.begin() as connection:
        inputs = inputs_version(connection, asset, window, CODE_VERSIONS[asset]) if asset in CODE_VERSIONS else output
        record_build(connection, Build(asset, window, inputs, output, "1", None), now)


def approve(engine: Engine) -> None:
    """A rustbucket that was expected to send logs from midnight on."""
    approved = {"status": "active", "registered_at": MIDNIGHT, "approved_at": MIDNIGHT}
    with engine.begin() as connection:
        connection.execute(rustbuckets.insert().values(id="BKT1", name="one", **approved))


def due(engine: Engine, asset: str) -> list[Window]:
    with engine.connect() as connection:
        return [one.window for one in stale_windows(connection, asset, MIDNIGHT, NOW)]


def mark(
    engine: Engine, instance: dg.DagsterInstance, settings: Settings, job: Job, *windows: Window, reason: str = "a test"
) -> marks.Marked:
    return marks.mark_windows(engine, instance, settings, job, windows, "ann", reason, NOW)


def newest(instance: dg.DagsterInstance, asset: str, window: Window) -> dg.AssetMaterialization | None:
    filter_ = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[window.key])
    records = instance.fetch_materializations(filter_, limit=1).records
    return records[0].asset_materialization if records else None


def test_a_marked_hour_is_not_due_until_late_data_changes_its_inputs(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    assert due(archived, "parsed_logs") == [FIRST, SECOND]
    marked = mark(archived, instance, since_midnight, PARSE_LOGS, FIRST)
    assert (marked.windows, marked.waived) == ((FIRST,), ())
    assert due(archived, "parsed_logs") == [SECOND]
    build(archived, "log_archives", Window(MIDNIGHT, HALF_HOUR), "late")
    assert due(archived, "parsed_logs") == [FIRST, SECOND]


def test_dagster_shows_a_marked_hour_as_materialized_with_by_whom_and_why(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    mark(archived, instance, since_midnight, PARSE_LOGS, FIRST, reason="  a test of \x1b[31mours  ")
    event = newest(instance, "parsed_logs", FIRST)
    assert event is not None
    assert event.tags is not None
    assert event.tags["dagster/data_version"] == EMPTY
    said = {name: value.value for name, value in event.metadata.items()}
    assert said == {"marked_by": "ann", "reason": r"a test of \x1b[31mours"}
    with archived.connect() as connection:
        row = connection.execute(select(window_marks)).one()
    assert (row.asset, row.window_start, row.marked_by, row.marked_at) == ("parsed_logs", MIDNIGHT, "ann", NOW)


def test_a_mark_on_an_hour_that_was_built_keeps_the_version_its_digest_was_made_from(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    build(archived, "parsed_logs", FIRST, "rows")
    build(archived, "log_archives", Window(MIDNIGHT, HALF_HOUR), "late")
    mark(archived, instance, since_midnight, PARSE_LOGS, FIRST)
    event = newest(instance, "parsed_logs", FIRST)
    assert event is not None
    assert (event.tags or {})["dagster/data_version"] == "rows"


def test_marking_what_is_not_due_marks_nothing(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    build(archived, "parsed_logs", FIRST, "rows")
    assert mark(archived, instance, since_midnight, PARSE_LOGS, FIRST).windows == ()
    assert newest(instance, "parsed_logs", FIRST) is None


def test_a_mark_on_the_analysis_covers_both_of_its_assets(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    four = Window(MIDNIGHT, FOUR_HOURS)
    build(archived, "parsed_logs", FIRST, "rows")
    build(archived, "window_digest", four, "digest")
    build(archived, "parsed_logs", FIRST, "other rows")
    assert (due(archived, "window_digest"), due(archived, "log_analysis")) == ([four], [four])
    assert mark(archived, instance, since_midnight, ANALYSE_WINDOWS, four).windows == (four,)
    assert (due(archived, "window_digest"), due(archived, "log_analysis")) == ([], [])


def test_a_mark_on_an_archive_waives_what_never_came_and_never_counts_as_received(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    approve(archived)
    half = Window(MIDNIGHT + 3 * HOUR, HALF_HOUR)
    marked = mark(archived, instance, since_midnight, ARCHIVE_LOGS, half)
    assert marked.waived == (("BKT1", Window(half.start, HOUR)),)
    with archived.connect() as connection:
        (state,) = hours_between(connection, half.start, half.end, NOW)
    assert (state.arrival, state.why) == (Arrival.WAIVED, "waived by ann: a test")
    assert half not in due(archived, "log_archives")
    assert newest(instance, "log_archives", half) is None


def test_an_hour_in_progress_is_not_waived(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    approve(archived)
    half = Window(NOW.replace(minute=0), HALF_HOUR)
    assert mark(archived, instance, since_midnight, ARCHIVE_LOGS, half).waived == ()


def test_a_mark_needs_a_reason(archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings) -> None:
    with pytest.raises(UsageError, match="--reason"):
        mark(archived, instance, since_midnight, PARSE_LOGS, FIRST, reason=" ")


def test_a_reset_hour_is_due_again_its_tries_forgotten_and_what_it_held_kept(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    build(archived, "parsed_logs", FIRST, "rows")
    item = Planned(PARSE_LOGS, FIRST, "v", "", Standing.DUE, "", Taker.HEAL, tries=3, given_up=False)
    with archived.begin() as connection:
        note_requests(connection, [item], NOW)
    done = marks.forget_windows(archived, instance, since_midnight, PARSE_LOGS, [FIRST], "ann", NOW)
    assert (done.windows, done.due) == ((FIRST,), (FIRST,))
    assert done.waiting == {"analyse_windows": (Window(MIDNIGHT, FOUR_HOURS),)}
    assert due(archived, "parsed_logs") == [FIRST, SECOND]
    with archived.connect() as connection:
        assert connection.execute(select(func.count()).select_from(window_requests)).scalar_one() == 0
        assert versions_between(connection, "parsed_logs", MIDNIGHT, NOW)[MIDNIGHT].output == "rows"
    build(archived, "parsed_logs", FIRST, "rows")
    assert due(archived, "parsed_logs") == [SECOND]


def test_a_reset_hour_is_loaded_whole_whatever_its_rows_were_made_of(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    build(archived, "parsed_logs", FIRST, "rows")
    sums = {column.name: 0 for column in hour_counts.c if isinstance(column.type, BigInteger | Integer)}
    approve(archived)
    with archived.begin() as connection:
        for hour in (FIRST, SECOND):
            row = {**sums, "hour": hour.start, "rustbucket_id": "BKT1", "inputs_version": "share"}
            connection.execute(hour_counts.insert().values(row))
    marks.forget_windows(archived, instance, since_midnight, PARSE_LOGS, [FIRST], "ann", NOW)
    with archived.connect() as connection:
        rows = connection.execute(select(hour_counts.c.hour, hour_counts.c.inputs_version).order_by("hour")).all()
    assert rows == [(FIRST.start, ""), (SECOND.start, "share")]


def test_a_reset_takes_marks_back(archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings) -> None:
    mark(archived, instance, since_midnight, PARSE_LOGS, FIRST, SECOND)
    done = marks.forget_windows(archived, instance, since_midnight, PARSE_LOGS, None, "ann", NOW)
    assert done.windows == done.due == (FIRST, SECOND)


def test_a_reset_archive_is_asked_again_at_its_sources(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    half = Window(MIDNIGHT, HALF_HOUR)
    assert half not in due(archived, "log_archives")
    marks.forget_windows(archived, instance, since_midnight, ARCHIVE_LOGS, [half], "ann", NOW)
    assert half in due(archived, "log_archives")


def test_a_second_reset_finds_nothing_to_forget(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    build(archived, "parsed_logs", FIRST, "rows")
    for expected in ((FIRST,), ()):
        done = marks.forget_windows(archived, instance, since_midnight, PARSE_LOGS, [FIRST], "ann", NOW)
        assert done.windows == expected


def test_a_reset_is_on_dagster_s_record_with_by_whom(
    archived: Engine, instance: dg.DagsterInstance, since_midnight: Settings
) -> None:
    build(archived, "parsed_logs", FIRST, "rows")
    marks.forget_windows(archived, instance, since_midnight, PARSE_LOGS, None, "ann", NOW)
    (record,) = instance.fetch_observations(dg.AssetKey("parsed_logs"), limit=10).records
    assert record.asset_observation is not None
    said = {name: value.value for name, value in record.asset_observation.metadata.items()}
    assert said == {"reset_by": "ann", "first": FIRST.key, "last": FIRST.key, "windows": "1"}
