"""What the simulator promises of its own bytes: the same every time, all accounted for, harmless, and telling."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from itertools import groupby
from pathlib import Path

import pytest

from rustbucket_pipeline.demo.acts import microseconds
from rustbucket_pipeline.demo.campaigns import MINERS
from rustbucket_pipeline.demo.cast import cast_fleet
from rustbucket_pipeline.demo.simulate import MOST_RUSTBUCKETS, NEWEST, Simulation, simulate
from rustbucket_pipeline.demo.truth import TrueRecord
from rustbucket_pipeline.demo.wordlists import MINER_HOST
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline_tests.demo.played import END, played

DOCUMENTATION = tuple(map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
EXAMPLE_HOST = re.compile(r"(?:[a-z0-9-]+\.)*example\.(?:com|net|org)\Z", re.IGNORECASE)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return played(tmp_path_factory.mktemp("fleet"))


def contents(simulation: Simulation) -> dict[str, bytes]:
    paths = sorted(path for path in simulation.root.rglob("*") if path.is_file())
    return {path.relative_to(simulation.root).as_posix(): path.read_bytes() for path in paths}


def files(simulation: Simulation) -> Iterator[tuple[bytes, list[TrueRecord]]]:
    members = {member.id: member for member in simulation.rustbuckets}
    for (owner, key), records in groupby(simulation.records, key=lambda record: (record.rustbucket_id, record.file)):
        yield (simulation.folder_of(members[owner]) / key).read_bytes(), list(records)


def test_the_same_call_writes_the_same_bytes_and_the_same_truth(fleet: Simulation, tmp_path: Path) -> None:
    again = played(tmp_path)
    assert contents(again) == contents(fleet)
    assert (again.files, again.records) == (fleet.files, fleet.records)


def test_another_seed_writes_other_bytes(tmp_path: Path) -> None:
    one, other = (played(tmp_path / str(seed), rustbuckets=1, seed=seed) for seed in (1, 2))
    assert contents(one).values() != contents(other).values()


def test_a_second_call_on_the_same_folder_touches_nothing(tmp_path: Path) -> None:
    first = played(tmp_path, rustbuckets=1)
    before = {path: path.stat().st_mtime_ns for path in first.root.rglob("*")}
    played(tmp_path, rustbuckets=1)
    assert {path: path.stat().st_mtime_ns for path in first.root.rglob("*")} == before


def test_the_truth_names_every_file_that_was_written(fleet: Simulation) -> None:
    named = Counter((file.bytes, file.sha256) for file in fleet.files)
    assert Counter((len(data), sha256(data).hexdigest()) for data in contents(fleet).values()) == named


def test_the_records_of_every_file_cover_it_exactly_once_in_order(fleet: Simulation) -> None:
    for data, records in files(fleet):
        ends = [0, *(record.offset + record.length for record in records)]
        assert [record.offset for record in records] == ends[:-1]
        assert ends[-1] == len(data)
        for record in records:
            piece = data[record.offset : record.offset + record.length]
            assert sha256(piece).hexdigest() == record.identity.partition(":")[0]


def test_every_json_line_parses_but_for_those_that_belong_in_quarantine(fleet: Simulation) -> None:
    for data, records in files(fleet):
        for record in records:
            if record.dialect == "json" and record.expect != "quarantine":
                line = json.loads(data[record.offset : record.offset + record.length])
                assert list(line) == ["timestamp", "level", "fields", "target"]


def test_the_history_lies_before_the_window_and_is_light(fleet: Simulation) -> None:
    start, end = microseconds(fleet.start), microseconds(fleet.end)
    before = [record.event_at for record in fleet.records if record.event_at < start]
    assert start - min(before) <= 7 * 24 * 3_600_000_000
    assert len(before) < len(fleet.records) / 3
    assert all(record.event_at < end + 60_000_000 for record in fleet.records)


def test_every_rustbucket_has_a_record_in_every_hour_and_one_after_the_end(fleet: Simulation) -> None:
    for member in fleet.rustbuckets:
        own = {record.event_at // 3_600_000_000 for record in fleet.records if record.rustbucket_id == member.id}
        assert {microseconds(hour) // 3_600_000_000 for hour in (*fleet.hours, fleet.end)} <= own


def test_the_default_fleet_shows_every_dialect_and_both_roads(fleet: Simulation) -> None:
    roles = Counter((member.dialect.name, member.road) for member in fleet.rustbuckets)
    once = {("json", "files"): 1, ("kv", "files"): 1, ("proto", "files"): 1, ("classic", "files"): 1}
    assert roles == {**once, ("json", "http"): 2}
    assert {record.protocol for record in fleet.records} >= {"ssh", "ftp", "smtp", "http"}


def test_every_rustbucket_of_the_largest_fleet_has_an_address_of_its_own() -> None:
    addresses = [ip_address(member.ip_address) for member in cast_fleet(MOST_RUSTBUCKETS, seed=1)]
    assert len(set(addresses)) == MOST_RUSTBUCKETS
    assert all(any(address in network for network in DOCUMENTATION) for address in addresses)


def test_addresses_are_for_documentation_and_hosts_are_examples(fleet: Simulation) -> None:
    text = b"\n".join(contents(fleet).values()).decode()
    found = set(re.findall(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", text)) | set(
        re.findall(r"2001:[0-9a-f:]+", text)
    )
    addresses = {ip_address(address.rstrip(":")) for address in found}
    assert addresses
    assert all(any(address in network for network in DOCUMENTATION) for address in addresses)
    hosts = set(re.findall(r"(?:[a-z0-9+.-]+://)([A-Za-z0-9.-]+\.[a-z]+)", text))
    assert hosts
    assert all(EXAMPLE_HOST.match(host) for host in hosts)


def test_the_miner_campaign_is_new_in_the_newest_window_and_everywhere_in_it(fleet: Simulation) -> None:
    newest = microseconds(fleet.end - NEWEST)
    told: dict[str, int] = {}
    for data, records in files(fleet):
        for record in records:
            if MINER_HOST.encode() in data[record.offset : record.offset + record.length]:
                told[record.rustbucket_id] = min(record.event_at, told.get(record.rustbucket_id, record.event_at))
    assert told.keys() == {member.id for member in fleet.rustbuckets}
    assert min(told.values()) >= newest
    assert all(record.event_at >= newest for record in fleet.records if record.src_ip in MINERS)


def test_everything_goes_wrong_that_the_play_has_in_store(fleet: Simulation) -> None:
    first = [file for file in fleet.files if file.rustbucket_id == "BKT100001"]
    assert len({file.key.partition("/")[0] for file in first}) == 3, "two restarts, three folders"
    assert sorted(file.copy for file in fleet.files)[-4:] == [True] * 4
    assert Counter(record.expect for record in fleet.records)["quarantine"] == 3
    assert any(not data.endswith(b"\n") for data, _ in files(fleet))
    assert any(b"\0" * 512 in data for data, _ in files(fleet))
    assert any(b'"1970-01-01T00:00:03' in data for data, _ in files(fleet))
    assert {record.dialect for record in fleet.records if record.forged} >= {"kv"}


def test_some_records_lie_in_the_file_of_a_neighbouring_hour(fleet: Simulation) -> None:
    astray = Counter[str]()
    for record in fleet.records:
        named = re.search(r"(\d{4}-\d\d-\d\d-\d\d)\Z", record.file)
        if named and record.expect == "event":
            happened = fleet.end + timedelta(microseconds=record.event_at - microseconds(fleet.end))
            hour = f"{happened:%Y-%m-%d-%H}"
            astray["late" if hour < named[1] else "early" if hour > named[1] else "right"] += 1
    assert astray["late"] == 3
    assert astray["early"] == 3


@pytest.mark.parametrize(("hours", "rustbuckets"), [(5, 6), (0, 6), (4, 0)])
def test_a_play_that_cannot_be_played_is_refused(tmp_path: Path, hours: int, rustbuckets: int) -> None:
    with pytest.raises(UsageError):
        simulate(tmp_path, END, hours, rustbuckets, 1)


def test_a_play_ends_on_a_four_hour_border(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        simulate(tmp_path, END - timedelta(hours=1), 4, 1, 1)
