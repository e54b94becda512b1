"""Sessions gathered by behaviour, and what each window held, as the baseline of those after it."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the tables, empty: a digest notes what the windows before it held where that is missing."""
    op.get_bind().exec_driver_sql(statements("0009_clusters"))
