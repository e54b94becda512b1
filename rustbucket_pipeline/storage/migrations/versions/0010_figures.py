"""Figures taken every few hours, and their view for readers."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table, empty: what was before isn't known."""
    op.get_bind().exec_driver_sql(statements("0010_figures"))
