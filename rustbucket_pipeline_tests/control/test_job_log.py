"""A job's log file: whole lines from any number of processes, a file a day, old days compressed, no secret, no bait."""

import gzip
import json
import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.control.job_log import LONGEST_MESSAGE, JobLog, Line, directory_of, files_of
from rustbucket_pipeline.control.job_log_reading import Follower, last_lines
from rustbucket_pipeline.settings import Settings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROCESSES, LINES = 4, 300


def line(message: str, at: datetime = NOON, job: str = "parse_logs", level: str = "INFO") -> Line:
    return Line(time=at, level=level, job=job, run="r1", first_window="w", last_window="w", message=message)


@pytest.fixture
def log(tmp_path: Path) -> JobLog:
    return JobLog(tmp_path / "logs", compress_after=7, keep=None, secrets=())


def write_many(log: JobLog, name: str, start: "multiprocessing.synchronize.Event") -> None:
    start.wait()
    for number in range(LINES):
        log.write(line(f"{name} {number} " + "x" * 500))


def test_lines_of_several_processes_are_whole_and_each_in_its_order(log: JobLog) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Event()
    writers = [spawn.Process(target=write_many, args=(log, f"p{number}", start)) for number in range(PROCESSES)]
    for writer in writers:
        writer.start()
    start.set()
    for writer in writers:
        writer.join(60)
    (path,) = files_of(log.directory, "parse_logs")
    messages = [json.loads(one)["message"].split() for one in path.read_bytes().splitlines()]
    for number in range(PROCESSES):
        assert [int(count) for name, count, _ in messages if name == f"p{number}"] == list(range(LINES))


def test_each_utc_day_has_a_file_and_the_job_s_name_leads_to_the_newest(log: JobLog) -> None:
    log.write(line("before midnight", NOON.replace(hour=23, minute=59)))
    log.write(line("after", NOON + timedelta(hours=12)))
    names = [path.name for path in files_of(log.directory, "parse_logs")]
    assert names == ["parse_logs.2026-03-02.log", "parse_logs.2026-03-03.log"]
    assert json.loads((log.directory / "parse_logs.log").read_text())["message"] == "after"
    assert {path.stat().st_mode & 0o077 for path in files_of(log.directory, "parse_logs")} == {0}


def test_days_older_than_a_week_are_compressed_by_a_day_s_first_line_and_read_all_the_same(log: JobLog) -> None:
    for day in range(10):
        log.write(line(f"day {day}", NOON + timedelta(days=day)))
    log.write(line("another job", NOON, job="archive_logs"))
    suffixes = [path.suffix for path in files_of(log.directory, "parse_logs")]
    assert suffixes == [".gz"] * 2 + [".log"] * 8
    assert gzip.decompress(files_of(log.directory, "parse_logs")[0].read_bytes()).count(b"\n") == 1
    assert [one.message for one in last_lines(log.directory, "parse_logs", 100)] == [f"day {day}" for day in range(10)]
    assert last_lines(log.directory, "parse_logs", 9)[0].message == "day 1"


def test_days_are_deleted_only_where_the_settings_say_so(log: JobLog) -> None:
    brief = JobLog(log.directory, compress_after=1, keep=3, secrets=())
    for day in range(6):
        brief.write(line(f"day {day}", NOON + timedelta(days=day)))
    assert [one.message for one in last_lines(log.directory, "parse_logs", 9)] == ["day 2", "day 3", "day 4", "day 5"]


def test_a_day_that_was_compressed_and_not_yet_removed_counts_once(log: JobLog) -> None:
    log.write(line("once"))
    (path,) = files_of(log.directory, "parse_logs")
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert [one.message for one in last_lines(log.directory, "parse_logs", 9)] == ["once"]
    log.write(line("a month later", NOON + timedelta(days=30)))
    assert [one.suffix for one in files_of(log.directory, "parse_logs")] == [".gz", ".log"]


def test_secrets_of_the_settings_are_in_no_line(tmp_path: Path) -> None:
    settings = Settings(
        RUSTBUCKET_HOME=tmp_path,
        RUSTBUCKET_DATABASE_URL="postgresql://me:hunter2hunter@db/logs",
        ANTHROPIC_API_KEY="key-of-ours-1",
        RUSTBUCKET_SECRET_KEYS="fernet-one-1,fernet-two-2",
    )
    log = JobLog.of(settings)
    assert log.directory == directory_of(settings) == tmp_path / "logs" / "jobs"
    told = "hunter2hunter key-of-ours-1 fernet-two-2 postgresql://me:hunter2hunter@db/logs sk-ant-0123456789abcdef"
    log.write(line(f"failed: {told}; Authorization: Token abcdef; kept"))
    (one,) = last_lines(log.directory, "parse_logs", 9)
    for secret in ("hunter2", "key-of-ours", "fernet", "sk-ant", "abcdef"):
        assert secret not in one.message
    assert one.message.startswith("failed: [redacted]")
    assert one.message.endswith("kept")


@given(st.text(st.characters(), max_size=300))
def test_whatever_is_said_becomes_one_line_that_acts_on_no_terminal(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    log = JobLog(tmp_path_factory.mktemp("log"), compress_after=7, keep=None, secrets=())
    log.write(line(text))
    (path,) = files_of(log.directory, "parse_logs")
    data = path.read_text(encoding="utf-8")
    assert data.count("\n") == 1
    assert data[:-1].isprintable()
    assert json.loads(data)["message"].isprintable()


def test_a_line_is_bounded(log: JobLog) -> None:
    log.write(line("x" * 10 * LONGEST_MESSAGE))
    (one,) = last_lines(log.directory, "parse_logs", 9)
    assert len(one.message) == LONGEST_MESSAGE
    assert one.message.endswith("…")


def test_a_follower_reads_on_over_midnight_and_waits_for_the_end_of_a_line(log: JobLog) -> None:
    log.write(line("old"))
    follower = Follower(log.directory, "parse_logs")
    log.write(line("new"))
    (path,) = files_of(log.directory, "parse_logs")
    half = line("half").model_dump_json().encode()
    with path.open("ab") as file:
        file.write(half[:10])
    assert [one.message for one in follower.new()] == ["new"]
    with path.open("ab") as file:
        file.write(half[10:] + b"\n")
    log.write(line("tomorrow", NOON + timedelta(days=1)))
    assert [one.message for one in follower.new()] == ["half", "tomorrow"]
    assert list(follower.new()) == []


def test_a_follower_that_is_stopped_yields_what_was_written_before(log: JobLog) -> None:
    follower = Follower(log.directory, "parse_logs")
    log.write(line("last words"))
    assert [one.message for one in follower.lines(lambda: True)] == ["last words"]


def test_what_is_no_line_of_ours_is_left_out(log: JobLog) -> None:
    log.write(line("ours"))
    (path,) = files_of(log.directory, "parse_logs")
    with path.open("ab") as file:
        file.write(b"\xff\x00 torn\n{}\n")
    assert [one.message for one in last_lines(log.directory, "parse_logs", 9)] == ["ours"]


def test_a_job_without_a_log_has_no_lines(log: JobLog) -> None:
    assert last_lines(log.directory, "parse_logs", 9) == []
    assert list(Follower(log.directory, "parse_logs").new()) == []


def test_a_log_that_can_t_be_written_says_so(log: JobLog) -> None:
    log.write(line("first"))
    (path,) = files_of(log.directory, "parse_logs")
    path.unlink()
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        log.write(line("second"))
