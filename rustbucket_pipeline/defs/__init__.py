"""Dagster glue, a file per stage. A body asks, calls its stage, reports; logic lives in the stage's own room."""
