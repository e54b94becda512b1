"""The tokens by which rustbuckets know us: decrypted one at a time, when one is about to be sent."""

from collections.abc import Callable

from sqlalchemy import Connection, Engine, select

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.secrets import decrypt
from rustbucket_pipeline.storage.tables import rustbuckets


def token_reader(engine: Engine, settings: Settings) -> Callable[[str], str | None]:
    """A function from a rustbucket's id to its token; None where it has none. It may be called from any thread."""

    def read(rustbucket_id: str) -> str | None:
        with engine.connect() as connection:
            return token_of(connection, settings, rustbucket_id)

    return read


def token_of(connection: Connection, settings: Settings, rustbucket_id: str) -> str | None:
    """One rustbucket's token; None where it has none. Raises `PermanentError` when no key opens it."""
    query = select(rustbuckets.c.token).where(rustbuckets.c.id == rustbucket_id)
    kept = connection.execute(query).scalar_one_or_none()
    return decrypt(settings, kept) if kept else None
