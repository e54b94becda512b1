"""Each rustbucket's share of an hour knows what it was made of."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; hours built before are loaded whole when they are built again."""
    op.get_bind().exec_driver_sql(statements("0005_shares"))
