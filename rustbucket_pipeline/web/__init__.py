"""The one door for people: Dagster's web UI behind a guard. What the pages show is decided elsewhere."""
