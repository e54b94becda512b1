"""How versions are told: what is made of the same has the same."""

from collections.abc import Iterable
from hashlib import sha256


def version_of(parts: Iterable[str]) -> str:
    """A version: SHA-256 (hex) over the parts in the order given; no two different lists share one."""
    digest = sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()
