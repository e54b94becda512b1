"""What unfinished runs will build, from their tags: whatever anyone may have written there."""

from datetime import UTC, datetime, timedelta

import pytest

from rustbucket_pipeline.control.jobs import PARSE_LOGS, POLL_FLEET
from rustbucket_pipeline.control.runs import range_tags, windows_of_tags
from rustbucket_pipeline.model.window import HOUR, Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIRST, LAST = Window(NOON - 2 * HOUR, HOUR), Window(NOON - HOUR, HOUR)
DAY_BEFORE = NOON - timedelta(days=1)


def test_a_run_of_one_window_and_one_of_a_range_name_all_they_build() -> None:
    assert windows_of_tags(range_tags(FIRST, FIRST), PARSE_LOGS, DAY_BEFORE, NOON) == [FIRST]
    assert windows_of_tags(range_tags(FIRST, LAST), PARSE_LOGS, DAY_BEFORE, NOON) == [FIRST, LAST]


def test_a_range_of_a_thousand_years_is_cut_to_what_there_is() -> None:
    tags = {
        "dagster/asset_partition_range_start": "1000-01-01-00:00",
        "dagster/asset_partition_range_end": "9999-01-01-00:00",
    }
    assert len(windows_of_tags(tags, PARSE_LOGS, DAY_BEFORE, NOON)) == 24


@pytest.mark.parametrize("key", ["", "yesterday", "2026-03-02-00:30", "2026-3-2-00:00", "9999-12-31-23:00"])
def test_a_key_that_names_no_window_counts_for_none(key: str) -> None:
    assert windows_of_tags({"dagster/partition": key}, PARSE_LOGS, DAY_BEFORE, NOON) == []


def test_a_run_without_windows_builds_none() -> None:
    assert windows_of_tags({}, PARSE_LOGS, DAY_BEFORE, NOON) == []
    assert windows_of_tags(range_tags(FIRST, LAST), POLL_FLEET, DAY_BEFORE, NOON) == []
