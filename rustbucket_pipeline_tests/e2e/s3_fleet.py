"""The simulated fleet as it uploads to a real S3 server, hour by hour, and the truth of what has landed so far."""

import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import EndpointConnectionError
from sqlalchemy import Engine

from rustbucket_pipeline.demo.acts import microseconds
from rustbucket_pipeline.demo.simulate import HOUR, Simulation, simulate
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import FOUR_HOURS, window_at
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.e2e.checkout import POLL_SECONDS, free_port

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FIELD, PREFIX = "field", "honeypot-logs"
ARCHIVE = "archive"
REGION = "us-east-1"
SEED = 7
DAY = timedelta(hours=24)

Place = tuple[str, str]
"""A rustbucket's id, and a file's key below its sources."""


@contextmanager
def s3_server() -> Generator[str]:
    """An S3 server (moto) in a process of its own, with two empty buckets; its endpoint."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _make_buckets(endpoint, process)
        yield endpoint
    finally:
        process.kill()
        process.wait()


def credentials(endpoint: str) -> dict[str, str]:
    """The variables by which everything finds the server."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "RUSTBUCKET_S3_ENDPOINT": endpoint,
        "RUSTBUCKET_ARCHIVE_URL": f"s3://{ARCHIVE}/raw-logs",
    }


@dataclass
class UploadingFleet:
    """Rustbuckets that upload. An hourly file appears whole when its hour is over, a daily one grows."""

    simulation: Simulation
    client: "S3Client"

    @classmethod
    def of_the_last_day(cls, root: Path, endpoint: str, now: datetime) -> "UploadingFleet":
        """The last 24 hours and what is left of this 4-hour window; nothing is uploaded yet."""
        end = window_at(now, FOUR_HOURS).end
        played = simulate(root, end, (DAY + FOUR_HOURS) // HOUR, rustbuckets=5, seed=SEED)
        uploading = tuple(member for member in played.rustbuckets if member.road == "files")
        return cls(replace(played, rustbuckets=uploading), client_of(endpoint))

    def land(self, until: datetime) -> None:
        """Upload what there is at that moment."""
        for (rustbucket_id, key), size in self._landed(until).items():
            self.put(rustbucket_id, key, self._data(rustbucket_id, key)[:size])

    def put(self, rustbucket_id: str, key: str, data: bytes) -> None:
        """Upload one file."""
        self.client.put_object(Bucket=FIELD, Key=f"{PREFIX}/{rustbucket_id}/{key}", Body=data)

    def truth(self, start: datetime, until: datetime) -> Simulation:
        """What is true of all that has landed by then. Of each hour since `start` something has."""
        landed = self._landed(until)
        files = [
            replace(file, bytes=size, sha256=sha256(self._data(file.rustbucket_id, file.key)[:size]).hexdigest())
            for file in self.simulation.files
            if (size := landed.get((file.rustbucket_id, file.key)))
        ]
        records = [
            record
            for record in self.simulation.records
            if record.offset + record.length <= landed.get((record.rustbucket_id, record.file), 0)
        ]
        return replace(self.simulation, start=start, end=until, files=tuple(files), records=tuple(records))

    def _landed(self, until: datetime) -> dict[Place, int]:
        """How many bytes of each file there are then: those before the first record that is later."""
        limit = microseconds(until)
        hourly = {member.id for member in self.simulation.rustbuckets if member.dialect.hourly_files}
        uploading = {member.id for member in self.simulation.rustbuckets}
        sizes, cut = Counter[Place](), set[Place]()
        for record in self.simulation.records:
            place = record.rustbucket_id, record.file
            if place in cut or record.event_at >= limit:
                cut.add(place)
            elif record.rustbucket_id in uploading:
                sizes[place] += record.length
        return {place: size for place, size in sizes.items() if place not in cut or place[0] not in hourly}

    def _data(self, rustbucket_id: str, key: str) -> bytes:
        return (self.simulation.root / "sources" / rustbucket_id / key).read_bytes()


def register(engine: Engine, settings: Settings, fleet: UploadingFleet, since: datetime) -> None:
    """Add and approve its rustbuckets, as of then."""
    with engine.begin() as connection:
        registry.lock(connection)
        for member in fleet.simulation.rustbuckets:
            entry = Entry(id=member.id, name=member.name, logs_url=f"s3://{FIELD}/{PREFIX}/{member.id}")
            registry.add(connection, settings, entry, since)
            registry.approve(connection, member.id, since)


def _make_buckets(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    """Once it answers; or fail if it ends before."""
    while True:
        try:
            process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            try:
                for bucket in (FIELD, ARCHIVE):
                    client_of(endpoint).create_bucket(Bucket=bucket)
            except EndpointConnectionError:
                continue
            return
        raise AssertionError(f"it ended with exit code {process.returncode}")


def client_of(endpoint: str) -> "S3Client":
    """A client of the server."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name=REGION,
    )
