"""Whether Dagster's history has the schema that the installed Dagster works on, and bringing it there.

Dagster itself would go on until a query fails. Where the history is: `history`. Our own schema: `storage/postgres.py`.
"""

from dataclasses import dataclass

import dagster
import dagster_postgres
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from dagster._core.storage.sql import get_alembic_config  # Dagster exports it nowhere else
from dagster_postgres import DagsterPostgresStorage
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases, embedded

_LOCK = text("SELECT pg_advisory_lock(hashtext('dagster history'))")


@dataclass(frozen=True, slots=True)
class HistorySchema:
    """The revision the history is at, the one this Dagster works on, and whether this Dagster knows the first."""

    revision: str
    head: str
    known: bool

    @property
    def ready(self) -> bool:
        """Whether this Dagster can work on it; unlike ours, its older releases promise nothing for a newer schema."""
        return self.revision == self.head


def schema_of(engine: Engine) -> HistorySchema:
    """The state of the history behind this engine."""
    with engine.connect() as connection:
        revision = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    scripts = ScriptDirectory.from_config(get_alembic_config(dagster_postgres.__file__))
    try:
        scripts.get_revision(revision)
    except (CommandError, ResolutionError):
        return HistorySchema(revision, str(scripts.get_current_head()), known=False)
    return HistorySchema(revision, str(scripts.get_current_head()), known=True)


def make_ready(url: URL, *, embedded_one: bool) -> None:
    """Refuse a history of another Dagster; the embedded one, like our own schema, is upgraded by its first use.

    Raises:
        ConfigurationError: it waits for `rustbucket db upgrade`, or a newer Dagster wrote it.
    """
    engine = create_engine(url, poolclass=NullPool)
    state = schema_of(engine)
    if state.ready:
        return
    if embedded_one and state.known:
        _upgrade(engine, url)
        return
    raise _refusal(state)


def upgrade_history(settings: Settings) -> HistorySchema | None:
    """Bring Dagster's history to the installed Dagster; twice changes nothing. None: there is no history yet.

    Raises:
        ConfigurationError: the URL is malformed, or a newer Dagster wrote the history.
        DatabaseUnavailable: the server can't be reached.
    """
    url = databases.history_address(settings)
    if settings.database_url is None:
        embedded.ensure(settings.home)
    with databases.maintenance(settings) as connection:
        if not databases.exists(connection, url.database or ""):
            return None
    engine = create_engine(url, poolclass=NullPool)
    state = schema_of(engine)
    if not state.known:
        raise _refusal(state)
    if not state.ready:
        _upgrade(engine, url)
    return schema_of(engine)


def _upgrade(engine: Engine, url: URL) -> None:
    """As `dagster instance migrate` does; whoever comes second waits, and finds it done."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(_LOCK)  # until we disconnect; in no transaction, which building an index would wait for
        storage = DagsterPostgresStorage(url.render_as_string(hide_password=False), should_autocreate_tables=False)
        storage.event_log_storage.upgrade()  # one chain of revisions for runs, events and schedules
        storage.run_storage.migrate()
        storage.event_log_storage.reindex_assets()
        if storage.schedule_storage:
            storage.schedule_storage.migrate()


def _refusal(state: HistorySchema) -> ConfigurationError:
    version = dagster.__version__
    if state.known:
        return ConfigurationError(
            f"Dagster's history has the schema of an older Dagster ({state.revision}; {version} needs {state.head}); "
            "stop what still runs on it, then run `rustbucket db upgrade`"
        )
    return ConfigurationError(
        f"Dagster's history was written by a newer Dagster than the {version} installed here ({state.revision}, after "
        f"{state.head}); `rustbucket db upgrade` only goes forward: use the release that wrote it, or a newer one"
    )
