"""A Dagster data pipeline for fleets of Rustbucket honeypots. Start reading at `definitions.py`."""
