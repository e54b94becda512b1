"""An operator can say of a window that it needs no building."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table, empty."""
    op.get_bind().exec_driver_sql(statements("0007_marks"))
