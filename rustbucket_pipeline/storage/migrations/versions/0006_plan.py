"""The planner remembers what it asked for, and which windows a blocking check found wrong."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the two tables, empty: whatever is due then is asked for anew."""
    op.get_bind().exec_driver_sql(statements("0006_plan"))
