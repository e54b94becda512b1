"""A promise of DESIGN section 2, looked at: whether it holds, in words and numbers. Becomes an asset check."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """`kept` only if it was looked at and holds; `why` is for people; `numbers` are the counts behind it."""

    kept: bool
    why: str
    numbers: Mapping[str, int]
