"""Views for those who may read and nothing else. The role itself and its rights: `storage/reader.py`."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0003"
down_revision = "0002"

FILES = ("events", "quarantined", "fleet")


def upgrade() -> None:
    """Make all of them."""
    for name in FILES:
        op.get_bind().exec_driver_sql(statements(name))
