"""Records: from archived bytes to typed rows, or to quarantine with a reason. Knows no source, no file, no Dagster."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rustbucket_pipeline.events.frames import frame

__all__ = ["frame"]


def __getattr__(name: str) -> object:
    """`frame`, once somebody asks for it: whoever only parses needs no database."""
    if name == "frame":
        from rustbucket_pipeline.events.frames import frame

        return frame
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
