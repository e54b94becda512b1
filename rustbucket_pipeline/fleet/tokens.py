"""The tokens by which rustbuckets know us: fetched encrypted, decrypted one at a time, when one is about to be sent."""

from collections.abc import Callable

from sqlalchemy import Connection, Engine, select

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.secrets import decrypt
from rustbucket_pipeline.storage.tables import rustbuckets


def token_reader(engine: Engine, settings: Settings) -> Callable[[str], str | None]:
    """A function from a rustbucket's id to its token as registered now; None where it has none.

    It may be called from any thread, and raises `PermanentError` when no key opens a token.
    """
    with engine.connect() as connection:
        rows = connection.execute(select(rustbuckets.c.id, rustbuckets.c.token).where(rustbuckets.c.token.is_not(None)))
        kept = {row.id: row.token for row in rows}
    return lambda rustbucket_id: decrypt(settings, kept[rustbucket_id]) if rustbucket_id in kept else None


def token_of(connection: Connection, settings: Settings, rustbucket_id: str) -> str | None:
    """One rustbucket's token; None where it has none. Raises `PermanentError` when no key opens it."""
    query = select(rustbuckets.c.token).where(rustbuckets.c.id == rustbucket_id)
    kept = connection.execute(query).scalar_one_or_none()
    return decrypt(settings, kept) if kept else None
