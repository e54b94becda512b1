"""`rustbucket windows`: the map of what arrived, and waivers."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from rustbucket_pipeline.archive.completeness import Arrival, Build, HourState
from rustbucket_pipeline.cli.heatmap import heatmap, notes
from rustbucket_pipeline.model.window import HOUR, KEY_FORMAT, window_at
from rustbucket_pipeline.storage.tables import rustbuckets, waivers
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE
from rustbucket_pipeline_tests.cli.conftest import Command

NEWEST = window_at(datetime.now(UTC), HOUR).start
SILENT = NEWEST - 6 * HOUR


@pytest.fixture
def silent(database: Engine) -> None:
    """A rustbucket, approved ten hours ago, from which nothing came."""
    with database.begin() as connection:
        life = {"status": "active", "registered_at": NINE, "approved_at": NEWEST - 10 * HOUR}
        connection.execute(insert(rustbuckets).values(id=BKT, name="edge\x1b[2J", **life))


def row_of(states: str, start: datetime = NINE) -> list[HourState]:
    letters = {"R": Arrival.RECEIVED, "q": Arrival.QUIET, "·": Arrival.PENDING, "M": Arrival.MISSING}
    letters |= {"E": Arrival.EXPIRED, "w": Arrival.WAIVED}
    return [
        HourState(BKT, start + at * HOUR, letters[letter], Build.FRESH, f"why {at}")
        for at, letter in enumerate(states)
        if letter != " "
    ]


def drawn(states: list[HourState], hours: int, width: int = 1000) -> list[str]:
    return [line.plain for line in heatmap(states, {BKT: "edge"}, NINE, hours, width)]


def test_every_hour_is_a_letter_below_its_time() -> None:
    days, clock, row, *_ = drawn(row_of("  RqMM·Ew"), 9)
    assert row == "BKT100001 edge    RqMM·Ew  2 missing  1 expired"
    assert days == "                2026-03-02"
    assert clock == "                   12    18"[: len(clock)]
    assert row.index("R") == clock.index("12") - 1


def test_received_hours_show_what_became_of_their_rows() -> None:
    states = [
        HourState(BKT, NINE + at * HOUR, Arrival.RECEIVED, build, "") for at, build in enumerate((*Build, Build.FRESH))
    ]
    assert drawn(states, 4)[2].endswith("  rRsR")


def test_a_map_that_is_too_wide_is_drawn_in_bands_of_whole_days() -> None:
    lines = drawn(row_of("R" * 72), 72, width=70)
    rows = [line for line in lines if line.startswith(BKT)]
    assert [row.count("R") for row in rows] == [24, 24, 24]
    assert max(len(line) for line in lines[:-1]) <= 70


def test_gaps_are_told_in_words_a_line_for_each_run() -> None:
    assert [line.plain for line in notes(row_of("RMMqEM" + "R" * 10 + "M"))] == [
        "BKT100001 missing 2026-03-02 10:00–12:00 UTC: why 1",
        "BKT100001 expired 2026-03-02 13:00–14:00 UTC: why 4",
        "BKT100001 missing 2026-03-02 14:00–15:00 UTC: why 5",
        "BKT100001 missing 2026-03-03 01:00–02:00 UTC: why 16",
    ]


@pytest.mark.usefixtures("silent")
def test_silence_past_its_deadline_is_on_the_map(command: Command) -> None:
    ran = command("windows", "--hours", "12")
    assert ran.code == 0
    assert "MMMMMMM" in ran.out
    assert "edge\\x1b[2J" in ran.out
    assert "nothing ever came" in ran.out


@pytest.mark.usefixtures("silent")
def test_the_map_can_be_had_as_json(command: Command) -> None:
    found = json.loads(command("windows", "--json", "--rustbucket", BKT).out)
    assert len(found) in {11, 12}  # an hour may have ended since
    by_hour = {one["hour"]: one for one in found}
    assert by_hour[SILENT.isoformat()] | {"why": ""} == {
        "rustbucket": BKT,
        "hour": SILENT.isoformat(),
        "arrival": "missing",
        "build": "unbuilt",
        "why": "",
    }


@pytest.mark.usefixtures("silent")
def test_a_waiver_is_noted_with_its_login_and_shown(command: Command, database: Engine) -> None:
    ran = command("windows", "waive", BKT, SILENT.strftime(KEY_FORMAT), "--reason", "moved house")
    assert (ran.code, ran.err) == (0, "")
    with database.connect() as connection:
        row = connection.execute(select(waivers)).one()
    assert (row.hour, row.reason) == (SILENT, "moved house")
    assert row.waived_by
    assert "MMMw" in command("windows", "--hours", "12").out


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("BKT7", "2026-03-02-04:00"), "no rustbucket 'BKT7'"),
        ((BKT, "2026-03-02-04:30"), "isn't on a border of 60 minutes"),
        ((BKT, (NEWEST - timedelta(days=3)).strftime(KEY_FORMAT)), "wasn't expected"),
    ],
)
def test_every_mistake_is_one_clear_line(command: Command, arguments: tuple[str, ...], said: str) -> None:
    ran = command("windows", "waive", *arguments, "--reason", "x")
    assert (ran.code, ran.raw, ran.err.count("\n")) == (2, b"", 1)
    assert said in ran.err


def test_without_rustbuckets_the_map_says_so(command: Command) -> None:
    assert "No rustbucket was approved" in command("windows").out
