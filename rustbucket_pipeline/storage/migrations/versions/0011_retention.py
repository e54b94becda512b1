"""Retention: days that are frozen or expired, legal holds, purged addresses."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the tables, empty, and the segments' two columns: every day is open, nothing is held or purged."""
    op.get_bind().exec_driver_sql(statements("0011_retention"))
