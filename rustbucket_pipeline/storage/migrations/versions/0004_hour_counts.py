"""What an hour's rows may leave out, and the messages of no known template; the hours' sums as a view for readers."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0004"
down_revision = "0003"

FILES = ("0004_hour_counts", "hourly_counts", "message_drift")


def upgrade() -> None:
    """Add the columns, the table and the views; hours built before say 0 until they are built again."""
    for name in FILES:
        op.get_bind().exec_driver_sql(statements(name))
