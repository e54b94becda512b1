"""What every test may ask for: a fresh migrated database, settings of a home of its own, an archive, an S3 server.

One embedded PostgreSQL serves the session; each test's database is a copy of a migrated template (20 ms).
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline.storage.objects import Archive, open_archive
from rustbucket_pipeline.storage.postgres import open_database, upgrade

OURS = ("RUSTBUCKET_", "DAGSTER_", "AWS_", "ANTHROPIC_", "CLAUDE_", "PG", "SENTRY_", "ALERT_")
TEMPLATE = "migrated"
numbers = itertools.count(1)

# How busy the machine is decides no test.
examples.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("unhurried")


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own variables never decide a test."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A directory of the session with a short path; not pytest's, whose modes pytest changes while servers run."""
    directory = Path(tempfile.mkdtemp(prefix="rustbucket-tests-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def own_home(scratch: Path) -> Iterator[Path]:
    """A path for a home with a server of its own; whatever was started in or below it is stopped at the end."""
    home = scratch / f"home{next(numbers)}"
    yield home
    for lock in home.glob("**/pg.alive.lock"):
        embedded.down(lock.parent)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def server(scratch: Path) -> Iterator[Connection]:
    """The session's PostgreSQL, by a connection that makes and drops databases."""
    home = scratch / "server"
    with embedded.shared(home, durable=False):
        engine = create_engine(embedded.url(home, "postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {TEMPLATE}"))
            upgrade(_settings(home, _address(connection, TEMPLATE)))
            yield connection
        engine.dispose()


@pytest.fixture
def database_url(server: Connection) -> Iterator[str]:
    """The URL of a fresh, migrated, empty database."""
    name = f"test_{next(numbers)}"
    server.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY"))
    yield _address(server, name)
    for database in (name, f"{name}_dagster"):
        server.execute(text(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a home of the test's own, and of its database."""
    return _settings(tmp_path / "home", database_url)


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    """An engine on the test's database."""
    engine = open_database(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def archive(settings: Settings) -> Archive:
    """An empty archive in a directory."""
    return open_archive(settings)


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """An S3 server of the session (moto, over HTTP on loopback); its endpoint."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_server(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The endpoint of an S3 server, with credentials for it in the environment, where boto3 looks."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return s3_address


def _address(server: Connection, database: str) -> str:
    return make_url(str(server.engine.url)).set(drivername="postgresql", database=database).render_as_string()


def _settings(home: Path, database_url: str) -> Settings:
    return Settings(RUSTBUCKET_HOME=home, RUSTBUCKET_DATABASE_URL=database_url)
