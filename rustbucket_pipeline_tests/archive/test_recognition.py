"""Which log a file belongs to is told by its bytes: whatever it is called, however it is packed, and with no cursor."""

import gzip
import itertools
import random
from datetime import timedelta
from hashlib import sha256

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import null, select, update

from rustbucket_pipeline.archive.ledger import chain_hash
from rustbucket_pipeline.archive.promises import chains_unbroken
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.tables import segments, source_files
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines, json_line

HOUR = timedelta(hours=1)
NAME = "rustbucket.log.2026-03-02-09"
DATA = hour_of_lines(NINE)

packings = pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])


def forget(fleet: FleetOnDisk, rustbucket_id: str = BKT) -> None:
    """Delete every cursor: nothing is left of when and how files were read."""
    nothing = {"etag": "", "size": 0, "consumed": 0, "prefix_sha256": "", "content_bytes": null(), "log_id": null()}
    with fleet.engine.begin() as connection:
        chosen = update(source_files).where(source_files.c.rustbucket_id == rustbucket_id)
        connection.execute(
            chosen.values(**nothing, clock=NINE - timedelta(days=900), after_text=False, unarchived=null())
        )


def open_alerts(fleet: FleetOnDisk) -> list[str]:
    with fleet.engine.connect() as connection:
        return list(connection.execute(select(alerts.c.kind).where(alerts.c.closed_at.is_(None))).scalars())


@pytest.mark.parametrize("window", [0, 1])
@pytest.mark.parametrize("cut", [-1, 0, 1])
def test_a_copy_s_prefix_hash_is_its_log_s_chain_up_to_there(fleet: FleetOnDisk, window: int, cut: int) -> None:
    fleet.write(f"abc/{NAME}", DATA)
    fleet.pull()
    with fleet.engine.connect() as connection:
        rows = connection.execute(select(segments).order_by(segments.c.byte_start)).all()
    ends = [row.byte_end for row in rows]
    assert len(ends) == 2
    assert ends[-1] == len(DATA)
    length = min(ends[window] + cut, len(DATA))
    fleet.write(f"xyz/{NAME}", DATA[:length])
    fleet.pull()
    chain = ""
    for start, end in itertools.pairwise([0, *(end for end in ends if end < length), length]):
        chain = chain_hash(chain, start, end, sha256(DATA[start:end]).hexdigest())
    with fleet.engine.connect() as connection:
        own = connection.execute(select(source_files).where(source_files.c.key.startswith("xyz/"))).one()
    assert (own.consumed, own.prefix_sha256) == (length, chain)


@packings
def test_a_log_goes_on_packed_or_not(fleet: FleetOnDisk, pack) -> None:
    half = DATA.find(b"\n", 2500) + 1
    fleet.write(f"abc/{NAME}", DATA[:half])
    fleet.pull()
    fleet.write(f"xyz/{NAME}.gz", pack(DATA))
    assert fleet.pull().new_bytes == len(DATA) - half
    assert fleet.archived(f"xyz/{NAME}.gz") == DATA
    fleet.write(f"abc/{NAME}", DATA)
    assert fleet.pull().new_bytes == 0


@packings
@pytest.mark.parametrize("length", [1, 500, 2500, len(DATA) - 1])
def test_a_shorter_copy_adds_nothing_and_may_grow_again(fleet: FleetOnDisk, pack, length: int) -> None:
    fleet.write(f"abc/{NAME}", DATA)
    fleet.pull()
    before = fleet.counts()[0]
    for content, new in ((DATA[:length], 0), (DATA[: length + 1], 0), (DATA + json_line(NINE + HOUR), 1)):
        fleet.write(f"abc/{NAME}", pack(content))
        assert bool(fleet.pull().new_bytes) == bool(new)
        assert fleet.archived(f"abc/{NAME}") == content
        assert fleet.counts()[0] == before + new


def test_a_shorter_copy_with_other_bytes_at_its_end_is_a_log_of_its_own(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NAME}", DATA)
    fleet.pull()
    fleet.write(f"abc/{NAME}", DATA[:2500] + b"?\n")
    assert fleet.pull().new_bytes == 2502
    assert fleet.archived(f"abc/{NAME}") == DATA[:2500] + b"?\n"


def test_a_file_rewritten_and_written_back_is_the_log_it_was(fleet: FleetOnDisk) -> None:
    other = hour_of_lines(NINE, words="other")
    for content in (DATA, other):
        fleet.write(f"abc/{NAME}", content)
        fleet.pull()
    before = fleet.counts()
    for content in (DATA, other, DATA):
        fleet.write(f"abc/{NAME}", content)
        assert fleet.pull().new_bytes == 0
        assert fleet.archived(f"abc/{NAME}") == content
    assert (fleet.counts()[0], fleet.counts()[2]) == (before[0], before[2])


def test_bytes_changed_in_the_middle_of_a_grown_file_are_noticed(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NAME}", DATA)
    fleet.pull()
    changed = DATA.replace(b"09:10:00", b"09:10:01") + json_line(NINE + HOUR)
    fleet.write(f"abc/{NAME}", changed)
    assert fleet.pull().new_bytes == len(changed)
    assert fleet.archived(f"abc/{NAME}") == changed


def test_a_damaged_file_gives_what_it_has_and_is_named(fleet: FleetOnDisk) -> None:
    noise = json_line(NINE, random.Random(1).randbytes(200_000).hex())
    packed = gzip.compress(DATA + noise)
    fleet.write(f"abc/{NAME}.gz", packed[:-2000])
    got = fleet.pull().new_bytes
    assert len(DATA) < got < len(DATA + noise)
    with fleet.engine.connect() as connection:
        assert "damaged" in connection.execute(select(source_files.c.unarchived)).scalar_one()
    assert fleet.pull().new_bytes == 0
    fleet.write(f"abc/{NAME}.gz", packed)
    assert fleet.pull().new_bytes == len(DATA + noise) - got
    assert fleet.archived(f"abc/{NAME}.gz") == DATA + noise


def test_a_bomb_stops_no_other_file(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NAME}.zst", zstandard.compress(bytes(100_000_000)))
    fleet.write("abc/rustbucket.log.2026-03-02-10", hour_of_lines(NINE + HOUR))
    fleet.pull()
    assert fleet.archived("abc/rustbucket.log.2026-03-02-10") == hour_of_lines(NINE + HOUR)
    with fleet.engine.connect() as connection:
        reasons = connection.execute(select(source_files.c.unarchived).order_by(source_files.c.key)).scalars().all()
    assert [bool(reason) for reason in reasons] == [True, False]
    assert "no log does" in reasons[0]


def test_a_name_of_the_future_touches_no_window_of_the_future(fleet: FleetOnDisk) -> None:
    fleet.write("abc/rustbucket.log.2099-01-01-00", DATA + b"no time at all\n")
    fleet.pull()
    assert max(fleet.windows()) <= fleet.now


def test_a_file_gone_before_it_was_archived_whole_is_expired_until_it_is_back(fleet: FleetOnDisk) -> None:
    fleet.now = NINE + timedelta(minutes=40)
    fleet.write(f"abc/{NAME}", DATA + b"half a li")
    fleet.pull()
    (fleet.root / BKT / "abc" / NAME).unlink()
    fleet.pull(later=HOUR)
    assert open_alerts(fleet) == ["gap_unfillable"]
    with fleet.engine.connect() as connection:
        assert connection.execute(select(source_files.c.expired_at)).scalar_one() == fleet.now
    fleet.write(f"abc/{NAME}", DATA + b"half a line\n")
    fleet.pull(later=HOUR)
    assert open_alerts(fleet) == []
    with fleet.engine.connect() as connection:
        assert connection.execute(select(source_files.c.expired_at)).scalar_one() is None


def test_a_file_gone_after_it_was_archived_whole_is_no_loss(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NAME}", DATA)
    fleet.pull()
    (fleet.root / BKT / "abc" / NAME).unlink()
    forget(fleet)
    fleet.pull(later=HOUR)
    assert open_alerts(fleet) == []


folders = st.sampled_from(["abc", "xyz"])
hours = st.sampled_from(["09", "10"])
operations = st.one_of(
    st.tuples(st.just("append"), folders, hours, st.integers(1, 400)),
    st.tuples(st.just("half"), folders, hours, st.integers(1, 80)),
    st.tuples(st.just("rewrite"), folders, hours, st.integers(1, 3)),
    st.tuples(st.just("copy"), folders, hours, st.integers(0, 3000)),
    st.tuples(st.just("cut"), folders, hours, st.integers(0, 3000)),
    st.tuples(st.just("remove"), folders, hours, st.just(0)),
    st.tuples(st.just("pack"), folders, hours, st.integers(0, 2)),
    st.tuples(st.just("wait"), folders, hours, st.integers(0, 90)),
)
Operation = tuple[str, str, str, int]
numbers = itertools.count(200_000)
Tree = dict[tuple[str, str], bytes]
PACKINGS = (bytes, gzip.compress, zstandard.compress)


def applied(tree: Tree, operation: Operation, step: int) -> None:
    """What an uploader, or somebody else with its keys, does to the source."""
    kind, folder, hour, number = operation
    here, there = (folder, hour), ("xyz" if folder == "abc" else "abc", hour)
    old = tree.get(here, b"")
    line = json_line(NINE + timedelta(hours=int(hour) - 9, seconds=min(step * 40, 3500)), f"step {step} of {folder}")
    match kind:
        case "append":
            tree[here] = (old if old.endswith(b"\n") or not old else old + b"\n") + line * (1 + number // 100)
        case "half":
            tree[here] = old + line[:number]
        case "rewrite":
            tree[here] = line * number
        case "copy" if old:
            tree[there] = old[: max(1, len(old) - number)]
        case "cut" if old:
            tree[here] = old[: max(1, number)]
        case "remove":
            tree.pop(here, None)


def archived_pieces(fleet: FleetOnDisk, rustbucket_id: str) -> list[tuple[object, ...]]:
    columns = [segments.c[name] for name in ("window_start", "byte_start", "byte_end", "sha256", "records", "clock")]
    query = select(*columns).where(segments.c.rustbucket_id == rustbucket_id).order_by(*columns)
    with fleet.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(operations, min_size=2, max_size=8))
def test_with_every_cursor_deleted_the_same_segments_result(fleet: FleetOnDisk, steps: list[Operation]) -> None:
    pair = [f"BKT{next(numbers)}", f"BKT{next(numbers)}"]
    for rustbucket_id in pair:
        fleet.register(rustbucket_id)
    fleet.now = NINE + timedelta(minutes=50)
    fleet.openers = {rustbucket_id: fleet.openers[rustbucket_id] for rustbucket_id in pair}
    tree: Tree = {}
    packing = dict.fromkeys([("abc", "09"), ("abc", "10"), ("xyz", "09"), ("xyz", "10")], bytes)
    for step, operation in enumerate(steps):
        applied(tree, operation, step)
        if operation[0] == "pack":
            packing[operation[1], operation[2]] = PACKINGS[operation[3]]
        for rustbucket_id in pair:
            put(fleet, rustbucket_id, tree, packing)
        fleet.pull(later=timedelta(minutes=operation[3] if operation[0] == "wait" else 1))
        forget(fleet, pair[1])
    fleet.pull(later=3 * HOUR)
    assert archived_pieces(fleet, pair[0]) == archived_pieces(fleet, pair[1])
    for rustbucket_id in pair:
        for (folder, hour), content in tree.items():
            assert fleet.archived(f"{folder}/rustbucket.log.2026-03-02-{hour}", rustbucket_id) == content
    with fleet.engine.connect() as connection:
        promise = chains_unbroken(connection, fleet.since)
    assert promise.kept or not promise.numbers["segments"]  # nothing at all may have been written


def put(fleet: FleetOnDisk, rustbucket_id: str, tree: Tree, packing) -> None:
    for folder, hour in packing:
        path = fleet.root / rustbucket_id / folder / f"rustbucket.log.2026-03-02-{hour}"
        wanted = packing[folder, hour](tree[folder, hour]) if (folder, hour) in tree else None
        if wanted is None:
            path.unlink(missing_ok=True)
        elif not path.exists() or path.read_bytes() != wanted:
            fleet.write(f"{folder}/{path.name}", wanted, rustbucket_id)
