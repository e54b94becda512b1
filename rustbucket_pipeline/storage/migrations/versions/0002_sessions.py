"""Sessions: the parts written with each hour, and the view that joins them over the hours."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0002"
down_revision = "0001"

FILES = ("0002_session_parts", "session_links", "sessions")


def upgrade() -> None:
    """Add the table and its views; hours built before have no parts until they are built again."""
    for name in FILES:
        op.get_bind().exec_driver_sql(statements(name))
