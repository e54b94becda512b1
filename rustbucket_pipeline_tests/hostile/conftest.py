"""What the hostile tests share: a collector with healthy rustbuckets, whose deadlines are short."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.hostile.collector import TOKEN, Collector, collecting
from rustbucket_pipeline_tests.net.loopback import Behaviour, Loopback, loopback

Serve = Callable[[Behaviour], AbstractContextManager[Loopback]]


@pytest.fixture
def collector(database: Engine, settings: Settings, archive: Archive, tmp_path: Path) -> Iterator[Collector]:
    """Two healthy rustbuckets, asked within two seconds; pulls take up to 4 MB."""
    (tmp_path / "sources").mkdir()
    changes = {
        "allowed_networks": ("127.0.0.0/8",),
        "source_roots": (tmp_path / "sources",),
        "poll_deadline_seconds": 2.0,
        "pull_deadline_seconds": 2.0,
        "pull_max_bytes": 4 * 1024 * 1024,
    }
    with collecting(database, settings.model_copy(update=changes), archive, tmp_path / "sources") as ours:
        yield ours


@pytest.fixture
def serve() -> Serve:
    """Starts a hostile server; no request to it may hold the healthy rustbuckets' token."""

    @contextmanager
    def start(behaviour: Behaviour) -> Generator[Loopback]:
        with loopback(behaviour) as server:
            yield server
        assert TOKEN.encode() not in b"".join(server.requests)

    return start
