"""A simulated fleet through archive and events, as the demo does it but without Dagster. Shared by the demo's tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, insert

from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.opening import openers
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.demo.cast import SimulatedRustbucket
from rustbucket_pipeline.demo.load import load_truth
from rustbucket_pipeline.demo.serve import serve_fleet
from rustbucket_pipeline.demo.simulate import Simulation, simulate
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbuckets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

END = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = END + timedelta(minutes=5)
SINCE = END - timedelta(days=9)


def played(root: Path, *, hours: int = 4, rustbuckets: int = 6, seed: int = 7) -> Simulation:
    return simulate(root, END, hours, rustbuckets, seed)


def run_through(simulation: Simulation, engine: Engine, settings: Settings, archive: Archive) -> None:
    """Register the fleet, pull it, build every hour it played, and put its truth beside."""
    roots = {"source_roots": (simulation.root / "sources",), "allowed_networks": ("127.0.0.0/8",)}
    with serve_fleet(simulation) as origin:
        fleet = [_registered(simulation, member, origin) for member in simulation.rustbuckets]
        with engine.begin() as connection:
            for rustbucket in fleet:
                row = {"id": rustbucket.id, "name": rustbucket.name, "status": "active", "registered_at": SINCE}
                connection.execute(insert(rustbuckets).values(row))
            load_truth(connection, simulation)
        secrets = {member.id: member.token for member in simulation.rustbuckets}
        roads = openers(fleet, settings.model_copy(update=roots), _no_s3, secrets.get)
        pull = pull_fleet(PullContext(engine, archive, SINCE, NOW, "run-1"), roads, [])
    assert pull.failed == {}
    for hour in simulation.hours:
        build_hour(engine, archive, Window(hour, HOUR), NOW, "run-1")


def _registered(simulation: Simulation, member: SimulatedRustbucket, origin: str) -> Rustbucket:
    files = member.road == "files"
    return Rustbucket(
        id=member.id,
        name=member.name,
        status=Status.ACTIVE,
        base_url=None if files else f"{origin}/{member.id}",
        logs_url=simulation.folder_of(member).as_uri() if files else None,
        http_allowed=not files,
        plain_http=not files,
        ip_address=member.ip_address,
        registered_at=SINCE,
        approved_at=SINCE,
        retired_at=None,
        last_seen=None,
        last_log_at=None,
    )


def _no_s3() -> "S3Client":
    raise AssertionError
