"""The task `canary`: every four hours a synthetic attack enters as a file at a source of its own, and goes its way.

Each has a fresh nonce, so that none is mistaken for another. How far it must have come, and by when, is looked at with
everything else (`health_canary.py`). It is counted nowhere: `storage/canary.py`.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.errors import StoreUnavailable
from rustbucket_pipeline.model.rustbucket import Status
from rustbucket_pipeline.model.text import first_line
from rustbucket_pipeline.model.window import FOUR_HOURS, HOUR, window_at
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.canary import CANARY, NAME, canaries
from rustbucket_pipeline.storage.home import private_directory
from rustbucket_pipeline.storage.tables import rustbuckets
from rustbucket_pipeline.upkeep.task import Bench, Task, Told

ADDRESS = "192.0.2.66"
"""Where it comes from: an address that is nobody's (RFC 5737)."""

KEPT = timedelta(days=7)
"""How long its files stay at the source."""

REMEMBERED = timedelta(days=90)
"""How long it is known how far they came."""

NOBODY = Told("no rustbucket is active: there is nothing a canary could tell of")


def run(bench: Bench) -> Told:
    """Enter a canary; remove the files of old ones.

    Raises:
        StoreUnavailable: its source can't be written.
    """
    hour = window_at(bench.now, HOUR).start - HOUR
    nonce = token_hex(8)
    with bench.engine.begin() as connection:
        if not _anybody(connection):
            return NOBODY
        _register(connection, place_of(bench.settings), bench.now)
        row = {"nonce": nonce, "hour": hour, "entered_at": bench.now}
        connection.execute(canaries.delete().where(canaries.c.entered_at < bench.now - REMEMBERED))
        connection.execute(canaries.insert().values(row))
        _enter(bench.settings, f"canary-{nonce}/rustbucket.log.{hour:%Y-%m-%d-%H}", attack(nonce, hour))
    removed = _remove_old(bench.settings, bench.now)
    summary = f"canary {nonce} entered for the hour {hour:%Y-%m-%d %H:%M} UTC"
    return Told(summary, {"removed_files": removed}, (f"its source: {place_of(bench.settings)}",))


def dry_run(bench: Bench) -> Told:
    """Say where it would enter."""
    with bench.engine.connect() as connection:
        return Told(f"a canary would enter at {place_of(bench.settings)}") if _anybody(connection) else NOBODY


def place_of(settings: Settings) -> str:
    """The canary's source, as rustbuckets' are written: `RUSTBUCKET_CANARY_URL`, or `canary/` in the home."""
    if settings.canary_url is not None:
        return settings.canary_url.rstrip("/")
    return private_directory(settings.home / "canary", "RUSTBUCKET_CANARY_URL").resolve().as_uri()


def attack(nonce: str, hour: datetime) -> bytes:
    """The file: a login over SSH by that name, at the end of the hour, in the words of a honeypot."""
    ssh = {"protocol": "SSH", "client_ip": f"{ADDRESS}:50022"}
    login = {"username": NAME.format(nonce=nonce), "password": nonce, "auth_method": "password"}
    lines = (
        ("connection", "New SSH connection", ssh),
        ("auth", "Authentication attempt", {**ssh, **login}),
    )
    return b"".join(
        _line(hour + HOUR - timedelta(seconds=30 - second), kind, message, fields)
        for second, (kind, message, fields) in enumerate(lines)
    )


def _line(moment: datetime, kind: str, message: str, fields: dict[str, str]) -> bytes:
    record = {
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z",
        "level": "INFO",
        "fields": {"message": message, "event_type": kind, **fields},
        "target": "rustbucket::protocols::ssh",
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _anybody(connection: Connection) -> bool:
    active = select(func.count()).where(rustbuckets.c.status == Status.ACTIVE)
    return connection.execute(active).scalar_one() > 0


def _register(connection: Connection, place: str, now: datetime) -> None:
    """The reserved rustbucket: retired at the moment it came, so that no hour ever waits for it."""
    moment = window_at(now, FOUR_HOURS).start
    moments = dict.fromkeys(("registered_at", "approved_at", "retired_at"), moment)
    row = insert(rustbuckets).values(id=CANARY, name="canary", status=Status.INACTIVE, logs_url=place, **moments)
    connection.execute(row.on_conflict_do_update(index_elements=["id"], set_={"logs_url": place}))


def _enter(settings: Settings, key: str, data: bytes) -> None:
    url = urlsplit(place_of(settings))
    if url.scheme == "s3":
        _put(settings, url.netloc, f"{unquote(url.path).strip('/')}/{key}".lstrip("/"), data)
        return
    path = Path(unquote(url.path)) / key
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise StoreUnavailable(f"{path} can't be written ({error.strerror}); correct its rights") from error


def _put(settings: Settings, bucket: str, key: str, data: bytes) -> None:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})
    client = Session().client("s3", endpoint_url=settings.s3_endpoint, config=config)  # pyright: ignore[reportUnknownMemberType]
    try:
        client.put_object(Bucket=bucket, Key=key, Body=data)
    except (ClientError, BotoCoreError) as error:
        why = f"s3://{bucket}/{key} can't be written ({first_line(error)})"
        raise StoreUnavailable(f"{why}; allow s3:PutObject there, or unset RUSTBUCKET_CANARY_URL") from error


def _remove_old(settings: Settings, now: datetime) -> int:
    """Files that were read long ago, of a directory; a bucket's lifecycle removes its own."""
    url = urlsplit(place_of(settings))
    if url.scheme != "file":
        return 0
    limit, place = (now - KEPT).timestamp(), Path(unquote(url.path))
    old = [file for file in place.glob("canary-*/*") if file.stat().st_mtime < limit]
    for file in old:
        file.unlink(missing_ok=True)
        file.parent.rmdir()
    return len(old)


CANARY_TASK = Task(
    name="canary",
    what="Let a synthetic attack enter at a source of its own; health checks follow it as far as the report.",
    cron="5 */4 * * *",
    every=FOUR_HOURS,
    run=run,
    dry_run=dry_run,
    deps=("raw_bucket_logs",),
    kinds=frozenset({"s3"}),
)
