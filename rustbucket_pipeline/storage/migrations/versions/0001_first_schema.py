"""The first schema: every table, and the views that keep the registry's readers working."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0001"
down_revision = None

FILES = ("0001_tables", "logs", "log_analysis", "rustbucket_watermarks", "rustbucket_hours")


def upgrade() -> None:
    """Make all of it."""
    for name in FILES:
        op.get_bind().exec_driver_sql(statements(name))
