"""Excerpts of rustbuckets that stand out, and what reports hold as views for readers."""

from alembic import op

from rustbucket_pipeline.storage.migrations import statements

revision = "0013"
down_revision = "0012"

FILES = ("0013_reports", "log_analysis_2", "reports", "report_findings", "report_indicators", "report_clusters")


def upgrade() -> None:
    """Add the table, empty: windows reported before have no excerpts until they are reported again."""
    for name in FILES:
        op.get_bind().exec_driver_sql(statements(name))
