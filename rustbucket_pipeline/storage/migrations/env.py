"""How Alembic runs our migrations: on the connection and in the transaction it is handed (`migrations.to_head`)."""

from alembic import context
from sqlalchemy import Connection

from rustbucket_pipeline.storage.analysis_tables import metadata

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("run migrations by `rustbucket db upgrade`")
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
context.run_migrations()
