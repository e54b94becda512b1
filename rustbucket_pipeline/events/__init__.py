"""Records: from archived bytes to typed rows, or to quarantine with a reason. Knows no source, no file, no Dagster."""

from rustbucket_pipeline.events.frames import frame

__all__ = ["frame"]
