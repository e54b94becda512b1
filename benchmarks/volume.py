"""What archiving much of something costs: `python -m benchmarks.volume [gigabyte] [memory] [files] [keys]`, or all.

Goals: a file of 1 GB at 0.7 of the speed of `zstd -1` of it through a pipe; one of 2 GB in under 250 MB resident. The
pulls run in processes of their own (`archiver`), each in a home of its own that is thrown away.
"""

import json
import logging
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import insert

from benchmarks.archiving import RUSTBUCKET
from benchmarks.logs import FIRST_HOUR, hour_after_hour
from rustbucket_pipeline.archive.sources.base import nothing_held
from rustbucket_pipeline.archive.sources.s3 import S3Source
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline.storage.tables import rustbuckets

GIGABYTE, MEGABYTE = 10**9, 10**6
TIMES = 3
AS_FAST, RESIDENT = 0.7, 250
FILES, KEYS = 10_000, 100_000
LOGS = "logs"
NOW = FIRST_HOUR + timedelta(days=500)


def gigabyte() -> bool:
    """One file of 1 GB, ours and `zstd -1` in turns; the fastest of each counts."""
    with _folder() as folder:
        path = _log(folder, GIGABYTE)
        ours, theirs = 1e9, 1e9
        for _ in range(TIMES):
            theirs = min(theirs, _piped(path))
            ours = min(ours, _pulled(folder)["seconds"])
        megabytes, ratio = path.stat().st_size / MEGABYTE, theirs / ours
    print(f"one file        {megabytes:6.0f} MB  {megabytes / ours:6.0f} MB/s", end="")
    print(f"  zstd -1 in a pipe {megabytes / theirs:.0f} MB/s, ratio {ratio:.2f}, goal {AS_FAST}")
    return ratio >= AS_FAST


def memory() -> bool:
    """One file of 2 GB: the most memory that is ever resident."""
    with _folder() as folder:
        _log(folder, 2 * GIGABYTE)
        pulled = _pulled(folder)
    peak = pulled["peak"] / MEGABYTE
    print(f"one file        {pulled['bytes'] / MEGABYTE:6.0f} MB  {peak:6.0f} MB resident at most, goal {RESIDENT}")
    return peak < RESIDENT


def files() -> bool:
    """Ten thousand hours of a quiet rustbucket, a file each; then the same pull with nothing new."""
    with _folder() as folder:
        line = next(hour_after_hour(1))[1][:1200].rpartition(b"\n")[0] + b"\n"
        for number in range(FILES):
            hour = FIRST_HOUR + timedelta(hours=number)
            own = line.replace(f"{FIRST_HOUR:%Y-%m-%dT%H}".encode(), f"{hour:%Y-%m-%dT%H}".encode())
            (folder / LOGS / f"rustbucket.log.{hour:%Y-%m-%d-%H}").write_bytes(own)
        with _home(folder) as home:
            first, again = _pull(home, folder), _pull(home, folder)
    print(f"small files     {FILES:6} files  {FILES / first['seconds']:6.0f} files/s", end="")
    print(f"  unchanged: {FILES / again['seconds']:.0f} files/s")
    return again["bytes"] == 0


def keys() -> bool:
    """List a bucket of a hundred thousand logs; the server is in a process of its own, filled there."""
    from boto3.session import Session

    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    client = Session("testing", "testing", region_name="us-east-1").client("s3", endpoint_url=ours.recv())
    begun, worked = time.perf_counter(), time.process_time()
    listing = S3Source(client, "logs", RUSTBUCKET).files(nothing_held)
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    server.terminate()
    print(f"listed keys     {len(listing.files):6} keys  {KEYS / seconds:7.0f} keys/s", end="")
    print(f"  {seconds:.1f} s, of which {worked:.1f} s are ours and the others the test server's")
    return len(listing.files) == KEYS


def _serve(port: Connection) -> None:
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket("logs", "us-east-1")
    for number in range(KEYS):
        hour = FIRST_HOUR + timedelta(hours=number // 10)
        backend.put_object("logs", f"{RUSTBUCKET}/instance{number % 10}/rustbucket.log.{hour:%Y-%m-%d-%H}", b"x")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, number = server.get_host_and_port()
    port.send(f"http://{host}:{number}")
    port.recv()


@contextmanager
def _folder() -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rustbucket-bench-"))
    (folder / LOGS).mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _home(folder: Path) -> Generator[Path]:
    """Removed with its folder only: ext4 is slow to make files while many were removed just before."""
    home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
    with shared(home):
        engine = open_database(Settings(RUSTBUCKET_HOME=home))
        with engine.begin() as connection:
            row = {"id": RUSTBUCKET, "name": "measured", "status": "active", "registered_at": FIRST_HOUR}
            connection.execute(insert(rustbuckets).values(row))
        engine.dispose()
        yield home


def _log(folder: Path, size: int) -> Path:
    path = folder / LOGS / f"rustbucket.log.{FIRST_HOUR:%Y-%m-%d}"
    with path.open("wb") as file:
        for _, data in hour_after_hour(size):
            file.write(data)
    return path


def _pulled(folder: Path) -> dict[str, float]:
    with _home(folder) as home:
        return _pull(home, folder)


def _pull(home: Path, folder: Path) -> dict[str, float]:
    _even(folder)
    command = [sys.executable, "-m", "benchmarks.archiver", home, folder / LOGS, NOW.isoformat()]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def _even(folder: Path) -> None:
    """The same start for all that is measured: nothing unwritten, and the logs in memory."""
    os.sync()
    for path in (folder / LOGS).iterdir():
        with path.open("rb", buffering=0) as file:
            while file.read(MEGABYTE):
                pass


def _piped(path: Path) -> float:
    packed = path.parent.with_name("log.zst")
    _even(path.parent.parent)
    begun = time.perf_counter()
    subprocess.run(["sh", "-c", 'cat "$1" | zstd -q -1 -c > "$2"', "sh", path, packed], check=True)
    return time.perf_counter() - begun


MEASURES: dict[str, Callable[[], bool]] = {"gigabyte": gigabyte, "memory": memory, "files": files, "keys": keys}


def main() -> int:
    """Measure what is named, all of it otherwise; 1 if a goal was missed."""
    good = [MEASURES[name]() for name in sys.argv[1:] or MEASURES]
    print("goals met" if all(good) else "goals NOT met")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
