"""What the tests of fleet/ share: settings that allow loopback and one source root, and rustbuckets in the registry."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Rules, read_entry
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.settings import Settings

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

Register = Callable[..., Rustbucket]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The only directory below which logs may lie."""
    folder = tmp_path / "sources"
    folder.mkdir()
    return folder


@pytest.fixture
def fleet_settings(settings: Settings, sources: Path) -> Settings:
    """Settings whose polls may go to this machine's IPv4 loopback, and end soon."""
    changes = {"allowed_networks": ("127.0.0.0/8",), "source_roots": (sources,), "poll_deadline_seconds": 0.5}
    return settings.model_copy(update=changes)


@pytest.fixture
def register(database: Engine, fleet_settings: Settings) -> Register:
    """Registers a rustbucket; `active=True` approves it, `http=True` lets it be asked without TLS, unprobed."""

    def add(name: str = "edge", *, active: bool = True, http: bool = False, **fields: str) -> Rustbucket:
        if "base_url" not in fields:
            fields.setdefault("logs_url", f"s3://logs/{name}")
        entry, problems = read_entry({"name": name, **fields}, Rules.of(fleet_settings))
        assert entry, problems
        with database.begin() as connection:
            added = registry.add(connection, fleet_settings, entry, NOW)
            if active:
                registry.approve(connection, added.id, NOW)
            if http:
                registry.set_http(connection, added.id, allowed=True, plain=True)
            return registry.get(connection, added.id)

    return add
