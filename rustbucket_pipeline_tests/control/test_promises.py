"""Whether an asset's newest windows are built: said of the newest, whatever was built last."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.control.promises import newest_windows_built
from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window, windows_between
from rustbucket_pipeline.storage.builds import Build, record_builds

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SINCE = NOON - timedelta(hours=60)


def look(database: Engine, now: datetime, asset: str = "log_archives") -> Promise:
    with database.connect() as connection:
        return newest_windows_built(connection, asset, now)


@pytest.fixture
def asked(database: Engine) -> None:
    """Every half hour until noon was asked for when it was over, but for one of yesterday."""
    missed = Window(NOON - 20 * HOUR, HALF_HOUR)
    windows = [window for window in windows_between(SINCE, NOON, HALF_HOUR) if window != missed]
    with database.begin() as connection:
        record_builds(connection, [Build("log_archives", window, "asked", "v", "1", None) for window in windows], NOON)


def test_nothing_built_is_nothing_known(database: Engine) -> None:
    promise = look(database, NOON)
    assert (promise.kept, promise.why) == (False, "nothing is built yet: nothing is known")


@pytest.mark.usefixtures("asked")
def test_a_window_of_yesterday_that_isn_t_built_is_overdue(database: Engine) -> None:
    promise = look(database, NOON)
    assert not promise.kept
    assert promise.why.startswith("1 windows of the last two days are overdue, e.g. 2026-03-01 16:00–16:30 UTC")


@pytest.mark.usefixtures("asked")
def test_newest_windows_may_lag_behind_by_the_job_s_limit_and_no_more(database: Engine) -> None:
    with database.begin() as connection:
        missed = Build("log_archives", Window(NOON - 20 * HOUR, HALF_HOUR), "asked", "v", "1", None)
        record_builds(connection, [missed], NOON)
    kept = look(database, NOON + timedelta(minutes=89))
    assert (kept.kept, kept.why) == (True, "the newest window built ended 1 h 29 min ago; none is overdue")
    late = look(database, NOON + timedelta(minutes=91))
    assert (late.kept, late.why) == (False, "the newest window built ended 1 h 31 min ago, more than 1 h 30 min")
    assert late.numbers == {"minutes_behind": 91, "overdue": 0}
