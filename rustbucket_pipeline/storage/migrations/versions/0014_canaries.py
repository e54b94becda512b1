"""Synthetic attacks, and how far each of them came."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the table, empty, and leave the canary's rustbucket out of the readers' views."""
    op.get_bind().exec_driver_sql(statements("0014_canaries"))
