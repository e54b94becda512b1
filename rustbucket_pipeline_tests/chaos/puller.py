"""The archiving process of the chaos runs: each order is one pull, in a child of its own that may be killed anywhere.

It tells in lines what happens: `began PID`, `at STEP` (then it waits for a line before it goes on), `pulled RESULT` or
`failed REASON`, `ended STATUS`. Everything is imported once, before the first child.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock

import boto3
from botocore.config import Config
from obstore.store import LocalStore, S3Store

from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.archive.sources.s3 import S3Source
from rustbucket_pipeline.archive.steps import Step
from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.model.window import HALF_HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline_tests.archive.fleet_on_disk import NINE

SINCE = NINE - timedelta(days=30)
IN_FOLDER, IN_BUCKET = "BKT100001", "BKT100002"
"""A rustbucket whose logs lie in a directory, and one whose logs lie in S3."""

PREFIX = "logs"


@dataclass(frozen=True)
class Order:
    """One pull. `archive` is a directory, or a bucket behind the `endpoint`; `durable` names the file that tells which
    objects of a directory would survive a power loss. `reversed_order`: they do only after the ledger is committed.
    """

    now: str
    windows: list[str]
    home: str
    folder: str
    bucket: str
    endpoint: str
    archive: str
    durable: str | None
    reversed_order: bool = False

    def line(self) -> str:
        return f"{json.dumps(asdict(self))}\n"


def in_directory(directory: Path, durable: Path, *, flushes: bool = True) -> Archive:
    """An archive whose flushes note what there was when they began, as that is what they make durable."""

    def flush(_: Path, _keys: set[str]) -> None:
        if flushes:
            note_durable(directory, durable)

    return Archive(directory.as_uri(), lambda: LocalStore(directory), directory, flush)


def in_bucket(bucket: str, endpoint: str) -> Archive:
    """An archive behind that endpoint, which loses patience soon."""

    def opener() -> S3Store:
        return S3Store(
            bucket,
            config={
                "endpoint": endpoint,
                "virtual_hosted_style_request": False,
                "region": "us-east-1",
                "access_key_id": "testing",
                "secret_access_key": "testing",
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=5),
                "backoff": {"init_backoff": timedelta(milliseconds=5), "max_backoff": timedelta(milliseconds=20)},
            },
            client_options={"timeout": timedelta(seconds=1), "allow_http": True},
        )

    return Archive(f"s3://{bucket}", opener)


def note_durable(directory: Path, durable: Path) -> None:
    """Note every object and its size."""
    found = {str(path.relative_to(directory)): path.stat().st_size for path in directory.rglob("*") if path.is_file()}
    new = durable.with_suffix(".new")
    new.write_text(json.dumps(found), encoding="utf-8")
    new.replace(durable)


@cache
def s3_client(endpoint: str):
    config = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=config,
    )


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def teller(order: Order) -> Callable[[Step], None]:
    """Tells every step, one thread at a time, and waits until it may go on."""
    lock = Lock()

    def reached(step: Step) -> None:
        with lock:
            say("at", step)
            if not sys.stdin.readline():
                os._exit(1)
            if order.reversed_order and order.durable and step is Step.COMMITTED:
                note_durable(Path(order.archive), Path(order.durable))

    return reached


def pull(order: Order) -> None:
    """Open everything as a run does, and pull."""
    engine = open_database(Settings(RUSTBUCKET_HOME=Path(order.home)))
    if order.durable:
        archive = in_directory(Path(order.archive), Path(order.durable), flushes=not order.reversed_order)
    else:
        archive = in_bucket(order.archive, order.endpoint)
    openers = {
        IN_FOLDER: lambda: [DirectorySource(Path(order.folder))],
        IN_BUCKET: lambda: [S3Source(s3_client(order.endpoint), order.bucket, PREFIX)],
    }
    context = PullContext(engine, archive, SINCE, datetime.fromisoformat(order.now), None, reached=teller(order))
    windows = [Window(datetime.fromisoformat(start), HALF_HOUR) for start in order.windows]
    pulled = pull_fleet(context, openers, windows)
    say("pulled", json.dumps({"new": pulled.new_bytes, "failed": pulled.failed, "gone": pulled.gone}))


def child(order: Order) -> int:
    try:
        pull(order)
    except RustbucketError as error:
        say("failed", repr(error)[:500])
    return 0


def main() -> None:
    while line := sys.stdin.readline():
        order = Order(**json.loads(line))
        s3_client(order.endpoint)
        if (pid := os.fork()) == 0:
            os._exit(child(order))
        say("began", pid)
        say("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
