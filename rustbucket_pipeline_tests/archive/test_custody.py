"""Custody: history that was signed can't be changed unseen, by whoever has the database and the store."""

import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update

from rustbucket_pipeline.archive.faults import Fault
from rustbucket_pipeline.archive.manifest import MadeManifest, make_manifest, read_manifest
from rustbucket_pipeline.archive.verify import Selection, Verified, verify
from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.signing import public_key
from rustbucket_pipeline.storage.tables import segments, source_files
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines
from rustbucket_pipeline_tests.archive.tampering import rewrite_history, rows_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND, THIRD = (f"manifests/2026/03/0{day}.json" for day in (2, 3, 4))

Sign = Callable[[int], MadeManifest]


@pytest.fixture
def sign(fleet: FleetOnDisk, settings: Settings) -> Sign:
    """Makes the manifest of the n-th day from 2026-03-02 on."""
    return lambda day: make_manifest(fleet.engine, fleet.archive, settings, NINE + 4 * HOUR + day * DAY)


@pytest.fixture
def look(fleet: FleetOnDisk, settings: Settings) -> Callable[[], Verified]:
    selection = Selection(NINE - DAY, NINE + 30 * DAY)
    return lambda: verify(fleet.engine, fleet.archive, settings, selection, lambda done, total: None)


@pytest.fixture
def held(fleet: FleetOnDisk, sign: Sign) -> FleetOnDisk:
    """Hours of three days, archived and signed day by day."""
    for day in range(3):
        hour = NINE + day * DAY
        fleet.now = hour + 2 * HOUR
        fleet.write(f"abc/rustbucket.log.{hour:%Y-%m-%d-%H}", hour_of_lines(hour))
        fleet.pull()
        sign(day)
    return fleet


def found(verified: Verified) -> list[tuple[Fault, str]]:
    return [(problem.fault, problem.subject) for problem in verified.problems]


def path_of(held: FleetOnDisk, key: str) -> Path:
    return Path(held.archive.url.removeprefix("file://")) / key


def test_a_signed_history_is_whole(held: FleetOnDisk, look: Callable[[], Verified]) -> None:
    verified = look()
    assert verified.problems == ()
    assert (verified.manifests, verified.signed_until) == (3, NINE + 4 * HOUR + 2 * DAY)


def test_a_manifest_names_every_log_s_head_and_the_manifest_before(held: FleetOnDisk, settings: Settings) -> None:
    first, second = (read_manifest(held.archive.get(key)) for key in (FIRST, SECOND))
    assert first is not None
    assert second is not None
    assert first.manifest.previous is None
    assert second.manifest.previous is not None
    assert second.manifest.previous.key == FIRST
    (head,) = first.manifest.logs
    with held.engine.connect() as connection:
        _, last, *_ = rows_of(connection)
    assert (head.rustbucket, head.key) == (BKT, "abc/rustbucket.log.2026-03-02-09")
    assert (head.log_id, head.bytes, head.chain_sha256) == (last.log_id, last.byte_end, last.chain_sha256)
    assert first.signed_by(public_key(settings))


def test_a_manifest_names_only_what_may_have_grown_since_the_one_before(held: FleetOnDisk, sign: Sign) -> None:
    assert [sign(10).logs, sign(13).logs] == [2, 0]


def test_the_day_s_manifest_is_made_once_and_never_overwritten(held: FleetOnDisk, sign: Sign) -> None:
    before = held.archive.get(THIRD)
    held.write("abc/rustbucket.log.2026-03-04-10", hour_of_lines(NINE + 2 * DAY + HOUR))
    held.pull(later=HOUR)
    again = sign(2)
    assert (again.new, again.key) == (False, THIRD)
    assert held.archive.get(THIRD) == before


def test_what_somebody_put_in_the_manifest_s_place_is_refused_and_left(held: FleetOnDisk, sign: Sign) -> None:
    held.archive.put_new("manifests/2026/03/05.json", b"{}")
    with pytest.raises(IntegrityError, match="isn't this home's"):
        sign(3)
    assert held.archive.get("manifests/2026/03/05.json") == b"{}"


def test_a_row_rewritten_with_its_whole_chain_is_caught_by_every_manifest_that_knew_it(
    held: FleetOnDisk, look: Callable[[], Verified]
) -> None:
    log = rewrite_history(held)
    # the first two days' manifests, and the third's, whose overlap reaches back to it
    assert set(found(look())) == {(Fault.REWRITTEN, log)}


def test_a_whole_log_taken_out_of_the_database_and_the_store_is_caught(
    held: FleetOnDisk, look: Callable[[], Verified]
) -> None:
    with held.engine.begin() as connection:
        gone = rows_of(connection)[:2]
        connection.execute(delete(segments).where(segments.c.log_id == gone[0].log_id))
        connection.execute(delete(source_files).where(source_files.c.id == gone[0].log_id))
    for row in gone:
        held.archive.delete(row.object_key)
    assert set(found(look())) == {(Fault.REWRITTEN, f"log {gone[0].log_id}")}


def test_a_log_given_to_another_file_is_caught(held: FleetOnDisk, look: Callable[[], Verified]) -> None:
    with held.engine.begin() as connection:
        log_id = rows_of(connection)[0].log_id
        connection.execute(update(source_files).where(source_files.c.id == log_id).values(key="abc/other"))
    assert set(found(look())) == {(Fault.REWRITTEN, f"log {log_id}")}


def test_a_past_made_up_later_is_unsigned(held: FleetOnDisk, sign: Sign, look: Callable[[], Verified]) -> None:
    sign(5)
    held.now = NINE + 2 * HOUR
    held.write("abc/rustbucket.log.2026-03-01-09", hour_of_lines(NINE - DAY))
    held.pull()
    with held.engine.connect() as connection:
        log_id = connection.execute(select(segments.c.log_id).order_by(segments.c.id.desc()).limit(1)).scalar_one()
    assert found(look()) == [(Fault.UNSIGNED, f"log {log_id}")]


def test_a_changed_manifest_is_caught_and_so_is_the_gap_it_leaves(
    held: FleetOnDisk, look: Callable[[], Verified]
) -> None:
    document = json.loads(held.archive.get(SECOND))
    document["manifest"]["logs"] = []
    path_of(held, SECOND).write_text(json.dumps(document), encoding="utf-8")
    assert found(look()) == [(Fault.MANIFEST, SECOND), (Fault.MANIFEST, THIRD)]


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b'{"manifest":{"logs":[{"bytes":"x"}]}}'])
def test_a_damaged_manifest_is_named(held: FleetOnDisk, look: Callable[[], Verified], data: bytes) -> None:
    path_of(held, THIRD).write_bytes(data)
    assert (Fault.MANIFEST, THIRD) in found(look())


def test_manifests_taken_away_are_missed_also_the_newest(held: FleetOnDisk, look: Callable[[], Verified]) -> None:
    held.archive.delete(THIRD)
    assert found(look()) == [(Fault.MANIFEST, THIRD)]
    held.archive.delete(FIRST)
    assert found(look()) == [(Fault.MANIFEST, SECOND), (Fault.MANIFEST, THIRD)]


def test_a_manifest_signed_elsewhere_is_not_believed(
    held: FleetOnDisk, database: Engine, look: Callable[[], Verified], tmp_path: Path
) -> None:
    stranger = Settings(RUSTBUCKET_HOME=tmp_path / "stranger")
    make_manifest(database, held.archive, stranger, NINE + 20 * DAY)
    assert found(look()) == [(Fault.MANIFEST, "manifests/2026/03/22.json")]


def test_the_key_that_signs_is_the_home_s_alone(settings: Settings) -> None:
    assert public_key(settings) == public_key(settings)
    assert stat.S_IMODE((settings.home / "signing.key").stat().st_mode) == 0o600
