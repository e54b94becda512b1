"""Rotation of the keys of secrets at rest: every token comes under the newest key, and none is lost on the way."""

from dataclasses import dataclass

from sqlalchemy import Engine, select, update

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.postgres import advisory_lock
from rustbucket_pipeline.storage.secrets import add_key, drop_keys, renew
from rustbucket_pipeline.storage.tables import rustbuckets

REGISTRY_LOCK = "registry"
"""Whoever stores a token holds it while encrypting, so no token comes under a key that is about to go."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: how many tokens came under the newest key."""

    tokens: int


def rotate(engine: Engine, settings: Settings) -> Rotated:
    """Encrypt every token anew, under a new key of the home's, or under the first of `RUSTBUCKET_SECRET_KEYS`.

    Old keys go only once that is committed: after a failure anywhere every token is still readable.

    Raises:
        IntegrityError: a token fits none of the keys; nothing was changed in the database, and no key is dropped.
    """
    with engine.begin() as connection:
        advisory_lock(connection, REGISTRY_LOCK)
        old = add_key(settings)
        rows = connection.execute(
            select(rustbuckets.c.id, rustbuckets.c.token).where(rustbuckets.c.token.is_not(None)).with_for_update()
        ).all()
        for row in rows:
            renewed = renew(settings, row.token)
            connection.execute(update(rustbuckets).where(rustbuckets.c.id == row.id).values(token=renewed))
    with engine.begin() as connection:
        advisory_lock(connection, REGISTRY_LOCK)
        drop_keys(settings, old)
    return Rotated(len(rows))
