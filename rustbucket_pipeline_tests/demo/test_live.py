"""The live fleet goes on where the simulated past ended, at the pace of the caller's clock."""

from datetime import timedelta
from pathlib import Path

from rustbucket_pipeline.demo.live import UPLOAD_DELAY, LiveFleet
from rustbucket_pipeline.demo.simulate import SPILL, Simulation
from rustbucket_pipeline_tests.demo.played import END, played


def sources(fleet: Simulation) -> dict[str, bytes]:
    return {
        path.relative_to(fleet.root).as_posix(): path.read_bytes() for path in fleet.root.rglob("*") if path.is_file()
    }


def test_served_logs_and_daily_files_grow_and_keep_what_they_held(tmp_path: Path) -> None:
    fleet = played(tmp_path)
    before = sources(fleet)
    assert LiveFleet(fleet).step(END + timedelta(minutes=20)) > 0
    after = sources(fleet)
    assert all(after[path].startswith(data) for path, data in before.items())
    grown = {path for path in before if len(after[path]) > len(before[path])}
    growing = ("served/BKT100002/", "sources/BKT100004/", "sources/BKT100005/", "served/BKT100006/")
    assert sorted(path.rpartition("BKT")[2][:6] for path in grown) == [part[-7:-1] for part in growing]


def test_an_hourly_file_appears_whole_when_its_hour_is_over(tmp_path: Path) -> None:
    fleet = played(tmp_path, rustbuckets=1)
    live, before = LiveFleet(fleet), sources(fleet)
    assert live.step(END + timedelta(minutes=59)) == 0
    assert live.step(END + timedelta(hours=2) + UPLOAD_DELAY) > 0
    after = sources(fleet)
    assert len(after) == len(before) + 1, "the hour after the end was there in part; the next one is new"
    assert all(after[path].startswith(data) for path, data in before.items())


def test_nothing_is_written_twice_however_often_the_clock_is_looked_at(tmp_path: Path) -> None:
    often, once = played(tmp_path / "often"), played(tmp_path / "once")
    live = LiveFleet(often)
    for minutes in (1, 2, 2, 17, 64, 130, 129):
        live.step(END + timedelta(minutes=minutes))
    LiveFleet(once).step(END + timedelta(minutes=130))
    assert sources(often) == sources(once)


def test_a_new_process_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    twice, once = played(tmp_path / "twice"), played(tmp_path / "once")
    for minutes in (31, 95):
        LiveFleet(played(tmp_path / "twice")).step(END + timedelta(minutes=minutes))
    LiveFleet(once).step(END + timedelta(minutes=95))
    assert sources(twice) == sources(once)


def test_nothing_happens_before_its_time(tmp_path: Path) -> None:
    fleet = played(tmp_path)
    before = sources(fleet)
    assert LiveFleet(fleet).step(END + SPILL) == 0
    assert sources(fleet) == before
