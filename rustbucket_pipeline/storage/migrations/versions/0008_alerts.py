"""Alerts can be acknowledged, snoozed and escalated; who was told what is kept, and which runs failed."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0008"
down_revision = "0007"

FILES = ("0008_alerts", "alert_list")


def upgrade() -> None:
    """Add the columns, the tables and the view: alerts that are open stay so, and are told to the targets there are."""
    for name in FILES:
        op.get_bind().exec_driver_sql(statements(name))
