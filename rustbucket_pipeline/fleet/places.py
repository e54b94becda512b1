"""Where a rustbucket's uploader leaves files (`logs_url`): one way to write each place, and whether two overlap.

`file://` only below the roots an operator named. Nothing is listed or read here.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.text import bounded

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX_PART = re.compile(r"[A-Za-z0-9!_.*'()=+@:,~-]+", re.ASCII)
LONGEST_PLACE = 1000


def place_of(text: str, source_roots: Sequence[Path]) -> str:
    """The place, written the one way it is kept: `s3://bucket/prefix` or `file:///resolved/directory`.

    Raises:
        UsageError: malformed, not below a source root, or no directory.
    """
    if len(text) <= LONGEST_PLACE and text.isascii() and text.isprintable():
        if text.startswith("s3://"):
            return _s3_place(text)
        if text.startswith("file:///"):
            return _directory(Path(unquote(urlsplit(text).path)), source_roots).as_uri()
    raise UsageError(f"logs_url '{bounded(text, 80)}' isn't of the form s3://bucket/prefix or file:///directory")


def overlap(one: str, other: str) -> bool:
    """Whether one of two places (as `place_of` writes them) is the other or lies within it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _s3_place(text: str) -> str:
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    parts = [part for part in prefix.split("/") if part]
    good = all(_PREFIX_PART.fullmatch(part) and part not in {".", ".."} for part in parts)
    if not _BUCKET.fullmatch(bucket) or not good or "//" in prefix:
        raise UsageError(f"logs_url '{bounded(text, 80)}' isn't of the form s3://bucket/prefix")
    return "/".join([f"s3://{bucket}", *parts])


def _directory(folder: Path, source_roots: Sequence[Path]) -> Path:
    try:
        resolved = folder.resolve()
        found = resolved.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"logs_url: {bounded(str(folder), 80)} can't be looked at; check the path") from error
    if not any(resolved.is_relative_to(root.resolve()) for root in source_roots):
        raise UsageError(
            f"logs_url: {bounded(str(resolved), 200)} isn't below RUSTBUCKET_SOURCE_ROOTS; add its folder there"
        )
    if not found:
        raise UsageError(f"logs_url: {bounded(str(resolved), 200)} is no directory; create it, or correct the path")
    return resolved
