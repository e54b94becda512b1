"""Where Dagster keeps its history, as `dagster.yaml` names it: our PostgreSQL, and files below the home.

Classes rather than settings there, so that every command, the web UI and the daemon share one history with no variable
set, from any directory. Each Dagster process makes these first: they are quick, and safe on a cold home.
"""

import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psycopg
from dagster._config.config_schema import UserConfigSchema  # Dagster exports these types nowhere else
from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.auth import PgTokenProvider
from psycopg import sql
from sqlalchemy import URL, Engine

from rustbucket_pipeline.control.history_schema import make_ready
from rustbucket_pipeline.control.job_log import JobLog
from rustbucket_pipeline.control.printed import copied, line_of
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage import databases, embedded
from rustbucket_pipeline.storage.home import prepare_home
from rustbucket_pipeline.storage.postgres import open_beside


class DagsterStorage(DagsterPostgresStorage):
    """Runs, events and schedules, in a database of their own beside ours; made on first use."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing to configure: the settings say where."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, object]
    ) -> "DagsterStorage":
        """Open it, the server started and the tables made if need be.

        Raises:
            ConfigurationError: the database can't be had, or has the schema of another Dagster.
            DatabaseUnavailable: the server can't be reached.
        """
        warnings.filterwarnings("ignore", "Handling yaml-defined logging", dg.BetaWarning)  # said of each run anew
        settings = load_settings()
        prepare_home(settings, datetime.now(UTC))
        url = prepare_history(settings)
        make_ready(url, embedded_one=settings.database_url is None)
        revival = _Revival(settings) if settings.database_url is None else None
        return cls(url.render_as_string(hide_password=False), inst_data=inst_data, token_provider=revival)


class ArtifactStorage(LocalArtifactStorage):
    """Dagster's own files: `dagster/` in the home."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing to configure: the settings say where."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, object]
    ) -> "ArtifactStorage":
        """Name the directory."""
        return cls(str(load_settings().home / "dagster"), inst_data=inst_data)


class ComputeLogs(LocalComputeLogManager):
    """What runs print: `dagster/compute_logs/` in the home."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing to configure: the settings say where."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, object]
    ) -> "ComputeLogs":
        """Name the directory."""
        return cls(str(load_settings().home / "dagster" / "compute_logs"), inst_data=inst_data)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Generator[CapturedLogContext]:
        """Capture what a step prints; its lines go into its job's log, too."""
        run = self._instance.get_run_by_id(log_key[0]) if self.has_instance else None
        line = line_of(run, datetime.now(UTC)) if run else None
        with ExitStack() as stack:
            if line is not None:
                path = Path(self.get_captured_local_path(log_key, "out"))
                stack.enter_context(copied(path, JobLog.of(load_settings()), line, lambda: datetime.now(UTC)))
            yield stack.enter_context(super().capture_logs(log_key))


def prepare_history(settings: Settings) -> URL:
    """The address of Dagster's database, which exists and has its tables when this returns.

    Raises:
        ConfigurationError: it is missing in an external server, and our account may not make databases.
        DatabaseUnavailable: the server can't be reached.
    """
    url = databases.history_address(settings)
    if settings.database_url is None:
        embedded.ensure(settings.home)
    with databases.maintenance(settings) as connection:
        if not databases.exists(connection, url.database or ""):
            databases.require_may_create(connection, url.database or "")
            connection.execute("SELECT pg_advisory_lock(hashtext('dagster history'))")  # until we disconnect
            _make_history(connection, url)
    return url


def open_history(settings: Settings) -> Engine:
    """An engine on Dagster's database, for what Dagster has no call for.

    Raises `ConfigurationError`, `DatabaseUnavailable` as `prepare_history`; the latter so does every later use.
    """
    return open_beside(prepare_history(settings))


def _make_history(connection: psycopg.Connection, url: URL) -> None:
    """Make it under another name first: Dagster's own set-up, once interrupted, would never be completed."""
    finished = url.database or ""
    unfinished = f"{finished}_unfinished"
    if databases.exists(connection, finished):
        return
    old, new = sql.Identifier(unfinished), sql.Identifier(finished)
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(old))
    databases.create(connection, unfinished)
    DagsterPostgresStorage(url.set(database=unfinished).render_as_string(hide_password=False))
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, new))


class _Revival(PgTokenProvider):
    """Asked before each connection Dagster makes: starts an embedded server that was killed under a running process."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._home = settings.home

    def get_token(self) -> str:
        """No password is needed in there; the server is."""
        if not embedded.alive(self._home):
            embedded.ensure(self._home)
        return ""

    def _fetch_token(self) -> tuple[str, float]:
        return "", 0.0
