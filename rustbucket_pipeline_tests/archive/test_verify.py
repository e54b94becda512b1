"""Verification: each way in which the archive can be wrong is named, and nothing else is."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import zstandard
from sqlalchemy import delete, update

from rustbucket_pipeline.archive.faults import Fault
from rustbucket_pipeline.archive.verify import Selection, Verified, verify
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.tables import segments
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines
from rustbucket_pipeline_tests.archive.tampering import rewrite_history, rows_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WHOLE_DAY = Selection(NINE - DAY, NINE + DAY)

Verify = Callable[..., Verified]


@pytest.fixture
def held(fleet: FleetOnDisk) -> FleetOnDisk:
    """Two hours of one rustbucket and one of another, archived: six segments."""
    fleet.register("BKT100002")
    for hour in (NINE, NINE + HOUR):
        fleet.write(f"abc/rustbucket.log.{hour:%Y-%m-%d-%H}", hour_of_lines(hour))
    fleet.write(f"abc/rustbucket.log.{NINE:%Y-%m-%d-%H}", hour_of_lines(NINE, words="other"), "BKT100002")
    fleet.pull()
    return fleet


@pytest.fixture
def look(held: FleetOnDisk, settings: Settings) -> Verify:
    def look(selection: Selection = WHOLE_DAY) -> Verified:
        return verify(held.engine, held.archive, settings, selection, lambda done, total: None)

    return look


def found(verified: Verified) -> list[tuple[Fault, str]]:
    return [(problem.fault, problem.subject) for problem in verified.problems]


def path_of(held: FleetOnDisk, key: str) -> Path:
    return Path(held.archive.url.removeprefix("file://")) / key


def test_what_was_archived_is_all_there(look: Verify) -> None:
    verified = look()
    assert verified.problems == ()
    assert (verified.segments, verified.logs, verified.manifests) == (6, 3, 0)
    assert verified.bytes == 2 * len(hour_of_lines(NINE)) + len(hour_of_lines(NINE, words="other"))


def test_progress_is_told_until_all_is_done(held: FleetOnDisk, settings: Settings) -> None:
    told: list[tuple[int, int]] = []
    verify(held.engine, held.archive, settings, WHOLE_DAY, lambda done, total: told.append((done, total)))
    assert told[-1] == (6, 6)
    assert told == sorted(told)


def test_an_object_that_is_gone_is_missing(held: FleetOnDisk, look: Verify) -> None:
    with held.engine.connect() as connection:
        key = rows_of(connection)[1].object_key
    held.archive.delete(key)
    assert found(look()) == [(Fault.MISSING, key)]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-3], id="cut"),
        pytest.param(lambda _: b"", id="empty, as after a power loss"),
        pytest.param(lambda data: data[:9] + bytes([data[9] ^ 1]) + data[10:], id="one bit"),
        pytest.param(lambda data: zstandard.compress(zstandard.decompress(data) + b"\n"), id="a byte more"),
        pytest.param(lambda _: zstandard.compress(bytes(50_000_000)), id="a bomb"),
    ],
)
def test_an_object_that_was_changed_is_altered(
    held: FleetOnDisk, look: Verify, damage: Callable[[bytes], bytes]
) -> None:
    with held.engine.connect() as connection:
        key = rows_of(connection)[1].object_key
    path_of(held, key).write_bytes(damage(held.archive.get(key)))
    assert found(look()) == [(Fault.ALTERED, key)]


@pytest.mark.parametrize("place", ["2026/03/02/0900/" + "0" * 64 + ".log.zst", "odd name"])
@pytest.mark.parametrize("owner", [BKT, "BKT7"])
def test_an_object_no_row_names_is_orphaned(held: FleetOnDisk, look: Verify, owner: str, place: str) -> None:
    held.archive.put_new(f"raw/{owner}/{place}", b"planted")
    assert found(look()) == [(Fault.ORPHANED, f"raw/{owner}/{place}")]


def test_a_row_that_is_gone_breaks_its_log_and_orphans_its_object(held: FleetOnDisk, look: Verify) -> None:
    with held.engine.begin() as connection:
        first, *_ = rows_of(connection)
        connection.execute(delete(segments).where(segments.c.id == first.id))
    log = f"log {first.log_id}"
    assert found(look()) == [
        (Fault.BROKEN_LINK, log),
        (Fault.BROKEN_LINK, log),
        (Fault.ORPHANED, first.object_key),
    ]


def test_a_log_whose_end_is_gone_is_shorter_than_what_was_read(held: FleetOnDisk, look: Verify) -> None:
    with held.engine.begin() as connection:
        last = rows_of(connection)[-1]
        connection.execute(delete(segments).where(segments.c.id == last.id))
    assert found(look()) == [(Fault.BROKEN_LINK, f"log {last.log_id}"), (Fault.ORPHANED, last.object_key)]


@pytest.mark.parametrize("column", ["sha256", "chain_sha256", "previous_sha256"])
def test_a_changed_hash_breaks_the_chain(held: FleetOnDisk, look: Verify, column: str) -> None:
    with held.engine.begin() as connection:
        first, *_ = rows_of(connection)
        connection.execute(update(segments).where(segments.c.id == first.id).values({column: "0" * 64}))
    assert (Fault.BROKEN_LINK, f"log {first.log_id}") in found(look())


def test_a_history_rewritten_with_its_chain_and_objects_is_whole_as_long_as_nothing_was_signed(
    held: FleetOnDisk, look: Verify
) -> None:
    rewrite_history(held)
    assert look().problems == ()


def test_only_what_is_selected_is_read(held: FleetOnDisk, look: Verify) -> None:
    with held.engine.connect() as connection:
        nine, _, ten, _ = rows_of(connection)
    held.archive.delete(nine.object_key)
    assert found(look(Selection(NINE + HOUR, NINE + 2 * HOUR))) == []
    assert found(look(Selection(NINE, NINE + 2 * HOUR, ("BKT100002",)))) == []
    assert found(look(Selection(NINE, NINE + HOUR, (BKT,)))) == [(Fault.MISSING, nine.object_key)]
    assert ten.window_start == NINE + HOUR
