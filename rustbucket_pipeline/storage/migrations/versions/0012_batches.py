"""Requests to Claude that go in batches: which one, and what was answered."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns, empty: no request before this went in a batch."""
    op.get_bind().exec_driver_sql(statements("0012_batches"))
