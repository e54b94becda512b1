"""How our database is: where, which version, at which schema, how large; for `rustbucket db status`. It only asks."""

from dataclasses import dataclass
from typing import Literal

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases
from rustbucket_pipeline.storage.postgres import schema_state


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """Sizes are bytes on disk; None: there is no such database yet."""

    server: Literal["embedded", "external"]
    place: str
    version: str
    schema_revision: str | None
    schema_head: str
    ready: bool
    database_bytes: int | None
    history_bytes: int | None


def database_status(settings: Settings) -> DatabaseStatus:
    """The state of our database and of Dagster's; starts the embedded server, changes nothing else.

    Raises:
        ConfigurationError: the URL is malformed.
        DatabaseUnavailable: the server can't be reached.
    """
    state = schema_state(settings)
    ours, history = databases.address(settings), databases.history_address(settings)
    with databases.maintenance(settings) as connection:
        version = connection.execute("SHOW server_version").fetchone() or ("unknown",)
        return DatabaseStatus(
            server="embedded" if settings.database_url is None else "external",
            place=databases.place(ours),
            version=str(version[0]).split(" ")[0],
            schema_revision=state.revision,
            schema_head=state.head,
            ready=state.ready,
            database_bytes=databases.size(connection, ours.database or ""),
            history_bytes=databases.size(connection, history.database or ""),
        )
