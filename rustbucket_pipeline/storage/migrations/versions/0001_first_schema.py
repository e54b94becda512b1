"""The first schema: every table, and the views that keep the registry's readers working."""

from alembic import op

from rustbucket_pipeline.storage.analysis_tables import metadata
from rustbucket_pipeline.storage.migrations import view

revision = "0001"
down_revision = None

VIEWS = ("logs", "log_analysis", "rustbucket_watermarks", "rustbucket_hours")


def upgrade() -> None:
    """Make all of it."""
    metadata.create_all(op.get_bind())
    for name in VIEWS:
        op.execute(view(name))
