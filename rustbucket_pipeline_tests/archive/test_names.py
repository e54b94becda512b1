"""Names of log files: which are one, what they vouch for, and which keys are never opened."""

from datetime import UTC, datetime, timedelta

import pytest

from rustbucket_pipeline.archive.names import oddity, period_of

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAME = "rustbucket.log.2026-03-02-09"


@pytest.mark.parametrize("name", [NAME, f"{NAME}.gz", f"{NAME}.zst", f"abc/{NAME}"])
def test_a_log_s_name_says_its_hour_packed_or_not(name: str) -> None:
    assert period_of(name) == (NINE, NINE + timedelta(hours=1))


def test_without_an_hour_it_says_the_day() -> None:
    assert period_of("rustbucket.log.2026-03-02") == (NINE.replace(hour=0), NINE.replace(day=3, hour=0))


@pytest.mark.parametrize(
    "name", ["notes.txt", "rustbucket.log", f"{NAME}.bz2", f"{NAME}\n", f"{NAME[:-2]}24", "rustbucket.log.2026-13-45"]
)
def test_other_names_are_no_log_s(name: str) -> None:
    assert period_of(name) is None


@pytest.mark.parametrize("year", ["0001-01-01-00", "1970-01-01", "9999-12-31-23", "9999-12-31"])
def test_names_of_impossible_times_are_no_log_s(year: str) -> None:
    assert period_of(f"rustbucket.log.{year}") is None


@pytest.mark.parametrize(
    "folder",
    ["a//b", "..", "a/../b", ".", "", "a\tb", "a\x00b", "a\x1b[2Jb", "a\nb", "\udc80\udcff", "\ufffd", "%2e%2e",
     "a%2Fb", "a\\b", "x" * 1000, "\u202egol"],
)  # fmt: skip
def test_odd_keys_are_told_apart(folder: str) -> None:
    assert oddity(f"{folder}/{NAME}")


@pytest.mark.parametrize("folder", ["7f3a", "a b", "Zürich", "x" * 400, "a/b/c"])
def test_plain_keys_are_not(folder: str) -> None:
    assert oddity(f"{folder}/{NAME}") is None
