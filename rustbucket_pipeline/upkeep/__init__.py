"""What keeps the pipeline true by itself: health, backups, retention, statistics, the dashboard. A file per task."""
