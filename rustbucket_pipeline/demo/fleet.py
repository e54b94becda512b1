"""The simulated fleet as the registry sees it: added, approved and allowed as an operator would do it."""

from datetime import datetime

from sqlalchemy import Engine, update

from rustbucket_pipeline.demo.cast import SimulatedRustbucket
from rustbucket_pipeline.demo.simulate import Simulation
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.tables import rustbuckets


def register(engine: Engine, settings: Settings, simulation: Simulation, origin: str, since: datetime) -> None:
    """Add and approve, as of `since`, every simulated rustbucket that isn't registered.

    `origin` is where their HTTP endpoints listen this time.
    """
    with engine.begin() as connection:
        registry.lock(connection)
        known = {rustbucket.id for rustbucket in registry.everyone(connection)}
        for member in simulation.rustbuckets:
            if member.id not in known:
                registry.add(connection, settings, _entry(simulation, member, origin), since)
                registry.approve(connection, member.id, since)
            if member.road == "http":
                registry.set_http(connection, member.id, allowed=True, plain=True)
                moved = update(rustbuckets).where(rustbuckets.c.id == member.id)
                connection.execute(moved.values(base_url=f"{origin}/{member.id}"))


def _entry(simulation: Simulation, member: SimulatedRustbucket, origin: str) -> Entry:
    files = member.road == "files"
    return Entry(
        id=member.id,
        name=member.name,
        base_url=None if files else f"{origin}/{member.id}",
        logs_url=simulation.folder_of(member).as_uri() if files else None,
        ip_address=member.ip_address,
        os=None,
        token=member.token,
    )
