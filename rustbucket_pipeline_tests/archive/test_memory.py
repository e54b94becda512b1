"""However large a file is, and whatever is in it: archiving takes little memory. Measured in a process of its own."""

import platform
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.archive.fleet_on_disk import NINE, FleetOnDisk, json_line

MEGABYTE = 1024 * 1024
MOST = 250 * MEGABYTE

PULL = """
import re, sys
from datetime import datetime, timedelta
from pathlib import Path
from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.postgres import open_database
url, archive, root, now = sys.argv[1:]
settings = Settings(RUSTBUCKET_DATABASE_URL=url, RUSTBUCKET_ARCHIVE_URL=archive)
now = datetime.fromisoformat(now)
context = PullContext(open_database(settings), open_archive(settings), now - timedelta(days=30), now, None)
pulled = pull_fleet(context, {"BKT100001": lambda: [DirectorySource(Path(root))]}, [])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]  # getrusage counts the parent in
print(pulled.new_bytes, int(peak) * 1024, pulled.failed)
"""


def busy_day(path: Path, size: int) -> None:
    """Write lines of a whole day, so many bytes."""
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for minute in range(1440):
            line = json_line(NINE.replace(hour=0) + timedelta(minutes=minute), f"attempt {minute} " * 8)
            file.write(line * (size // 1440 // len(line)))


def no_head_at_all(path: Path, size: int, line: bytes = b"no record begins like this; " * 4 + b"\n") -> None:
    """Write lines, none of which begins a record."""
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for _ in range(size // MEGABYTE):
            file.write(line * (MEGABYTE // len(line)))


def nothing_but_newlines(path: Path, size: int) -> None:
    """Write a line for every byte."""
    no_head_at_all(path, size, b"\n")


def one_endless_line(path: Path, size: int) -> None:
    """Write bytes without a single newline."""
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for _ in range(size // MEGABYTE):
            file.write(b"x" * MEGABYTE)


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
@pytest.mark.parametrize(
    ("write", "size"),
    [
        (busy_day, 64 * MEGABYTE),
        (no_head_at_all, 64 * MEGABYTE),
        (one_endless_line, 64 * MEGABYTE),
        pytest.param(nothing_but_newlines, 40 * MEGABYTE, marks=pytest.mark.long),
        pytest.param(busy_day, 1024 * MEGABYTE, marks=pytest.mark.long),
    ],
)
def test_a_large_file_is_archived_in_little_memory(fleet: FleetOnDisk, settings: Settings, write, size: int) -> None:
    path = fleet.root / "BKT100001" / "abc" / "rustbucket.log.2026-03-02"
    write(path, size)
    assert settings.database_url is not None
    arguments = [settings.database_url.get_secret_value(), fleet.archive.url, str(path.parent.parent)]
    done = subprocess.run(
        [sys.executable, "-c", PULL, *arguments, str(NINE + timedelta(days=2))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    new_bytes, peak, failed = done.stdout.split(maxsplit=2)
    assert (int(new_bytes), failed.strip()) == (path.stat().st_size, "{}")
    assert int(peak) < MOST, f"{int(peak) // MEGABYTE} MB resident"


PIECES_COME_AND_GO = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from rustbucket_pipeline.archive.fleet_pull import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def faults(_):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        pieces = [b"".join([b"x" * 2**20] * 4) for _ in range(3)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
with ThreadPoolExecutor(1) as thread:
    print(thread.submit(faults, None).result())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives so much back at once")
def test_pieces_are_kept_in_memory_that_is_not_fetched_anew() -> None:
    given_back, kept = (
        int(subprocess.run([sys.executable, "-c", PIECES_COME_AND_GO, way], check=True, capture_output=True).stdout)
        for way in ("given back", "kept")
    )
    assert kept * 3 < given_back
