"""Where logs come from as outside services: every bucket is asked for one key, credentials for their end; and what lies
beside the registered places without a rustbucket is named.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict
from urllib.parse import unquote, urlsplit

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.fleet.places import overlap
from rustbucket_pipeline.fleet.registry import everyone
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_s3 import S3Client

SOON = timedelta(days=30)
MOST_BESIDE = 1000
NAMED = 20
LONGEST_PLACE = 200

_BY_THEMSELVES = frozenset({"iam-role", "container-role", "assume-role", "assume-role-with-web-identity", "sso"})
"""How credentials were found that are renewed without anybody."""


class _Listing(TypedDict):
    Bucket: str
    Prefix: str
    ExpectedBucketOwner: NotRequired[str]


def try_sources(bench: Bench) -> Iterator[Finding]:
    """Each bucket once, the credentials for it, and places that no rustbucket is registered for."""
    with bench.engine.connect() as connection:
        fleet = everyone(connection)
    places = [one.logs_url for one in fleet if one.logs_url]
    active = [one for one in fleet if one.status is Status.ACTIVE and (one.logs_url or "").startswith("s3://")]
    if active:
        yield from _buckets(bench, active, places)
    yield from _unregistered(_directories(places, bench.settings.source_roots), places)


def _buckets(bench: Bench, active: Sequence[Rustbucket], places: Sequence[str]) -> Iterator[Finding]:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    session = Session()
    yield from _credentials(session, bench.now)
    config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
    for bucket, one in {urlsplit(one.logs_url or "").netloc: one for one in reversed(active)}.items():
        client: S3Client = session.client(  # pyright: ignore[reportUnknownMemberType]
            "s3", region_name=one.s3_region, endpoint_url=bench.settings.s3_endpoint, config=config
        )
        prefix = unquote(urlsplit(one.logs_url or "").path).strip("/")
        try:
            client.list_objects_v2(**_listing(one, bucket, f"{prefix}/"), MaxKeys=1)
        except (ClientError, BotoCoreError) as error:
            why = f"it can't be listed ({bounded(str(error).splitlines()[0], LONGEST_PLACE)})"
            do = "look at its rights and at the credentials"
            yield Finding("integrations", f"s3://{bucket}", Health.ERROR, why, do, Kind.INTEGRATION_FAILED)
            continue
        yield Finding("integrations", f"s3://{bucket}", Health.OK, "it can be listed")
        yield from _unregistered(_beside(client, one, bucket, places), places)


def _credentials(session: "Session", now: datetime) -> Iterator[Finding]:
    """Credentials that end and that nobody renews."""
    found = session.get_credentials()
    until = getattr(found, "_expiry_time", None)
    if found is None or not isinstance(until, datetime) or found.method in _BY_THEMSELVES:
        return
    health = Health.WARNING if until - now < SOON else Health.OK
    why = f"they expire on {until:%Y-%m-%d %H:%M} UTC, and are renewed by nobody"
    yield Finding("integrations", "AWS credentials", health, why, "use a role", Kind.EXPIRES_SOON)


def _beside(client: "S3Client", one: Rustbucket, bucket: str, places: Sequence[str]) -> Iterator[str]:
    """What lies beside the registered prefixes of the bucket, as places."""
    here = [unquote(urlsplit(place).path).strip("/") for place in places if urlsplit(place).netloc == bucket]
    for parent in sorted({prefix.rpartition("/")[0] for prefix in here if prefix}):
        below = f"{parent}/" if parent else ""
        listed = client.list_objects_v2(**_listing(one, bucket, below), Delimiter="/", MaxKeys=MOST_BESIDE)
        for common in listed.get("CommonPrefixes", ()):
            yield f"s3://{bucket}/{common.get('Prefix', '').rstrip('/')}"


def _listing(one: Rustbucket, bucket: str, prefix: str) -> "_Listing":
    """What to list: refused where the bucket isn't the account's that it should be."""
    asked: _Listing = {"Bucket": bucket, "Prefix": prefix}
    return {**asked, "ExpectedBucketOwner": one.s3_owner} if one.s3_owner else asked


def _directories(places: Sequence[str], roots: Iterable[Path]) -> Iterator[str]:
    """What lies beside the registered directories, as places."""
    folders = [Path(unquote(urlsplit(place).path)) for place in places if place.startswith("file://")]
    allowed = [root.resolve() for root in roots]
    for parent in sorted({folder.parent for folder in folders}):
        if any(parent.is_relative_to(root) for root in allowed) and parent.is_dir():
            inside = (child for child in sorted(parent.iterdir())[:MOST_BESIDE])
            yield from (child.as_uri() for child in inside if child.is_dir() and not child.is_symlink())


def _unregistered(beside: Iterable[str], places: Sequence[str]) -> Iterator[Finding]:
    """Those that overlap no registered place: somebody sends logs there, or somebody else's data lies beside ours."""
    unknown = [place for place in beside if not any(overlap(place, one) for one in places)]
    for place in unknown[:NAMED]:
        why = "logs may lie here, and no rustbucket is registered for it"
        do = "`rustbucket fleet add NAME --logs …`, or move it elsewhere"
        subject = bounded(place, LONGEST_PLACE)
        yield Finding("integrations", subject, Health.WARNING, why, do, Kind.REGISTRY_MISMATCH)
    if len(unknown) > NAMED:
        why = f"{len(unknown) - NAMED} more places without a rustbucket"
        yield Finding("integrations", "places", Health.WARNING, why, "", Kind.REGISTRY_MISMATCH)
