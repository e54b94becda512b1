"""Backups are sealed (age): encrypted in a stream, to the home's own key and to the operator's public key.

The home's identity is `backup.key` (0600), made on first use: with it a backup is verified here every week. Whoever
loses the machine needs the operator's. What is sealed is decided elsewhere.
"""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import BinaryIO, Protocol

from pyrage import (
    DecryptError,
    IdentityError,
    RecipientError,
    decrypt_io,
    encrypt_io,
    ssh,  # pyright: ignore[reportMissingModuleSource] (compiled)
    x25519,  # pyright: ignore[reportMissingModuleSource]
)

from rustbucket_pipeline.errors import ConfigurationError, IntegrityError
from rustbucket_pipeline.model.text import first_line
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import private_directory, write_once

KEY_FILE = "backup.key"

Recipient = x25519.Recipient | ssh.Recipient
Identity = x25519.Identity | ssh.Identity

BLOCK = 1 << 20
"""Bytes handed on at a time."""


class Readable(Protocol):
    """Something bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """What comes next, at most that many; none: the end."""
        ...


def recipients_of(settings: Settings) -> dict[str, Recipient]:
    """Who can open backups, by public key: the home, and who the settings name. Empty: they are stored plain.

    Raises:
        ConfigurationError: `RUSTBUCKET_BACKUP_RECIPIENT` is no public key, or the home's own can't be read or made.
    """
    if settings.backup_plain:
        return {}
    own = own_identity(settings).to_public()
    named = settings.backup_recipient
    return {str(own): own} | ({named: _recipient(named)} if named else {})


def own_identity(settings: Settings) -> x25519.Identity:
    """The home's own identity, made on first use.

    Raises:
        ConfigurationError: it can't be read or made.
    """
    path = private_directory(settings.home) / KEY_FILE
    if not path.exists():
        write_once(path, f"{x25519.Identity.generate()}\n")
    try:
        return x25519.Identity.from_str(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError, IdentityError) as error:
        raise ConfigurationError(f"{path} is no age identity ({first_line(error)}); put it back") from error


def read_identity(path: Path) -> Identity:
    """The identity in a person's file: age's (`AGE-SECRET-KEY-…`, comments allowed) or an ssh key.

    Raises:
        ConfigurationError: it holds none.
    """
    try:
        data = path.read_bytes()
        if b"PRIVATE KEY" in data:
            return ssh.Identity.from_buffer(data)
        lines = [line.strip() for line in data.decode().splitlines() if line.strip() and not line.startswith("#")]
        return x25519.Identity.from_str(lines[0])
    except (OSError, ValueError, IndexError, IdentityError) as error:
        raise ConfigurationError(f"{path} holds no identity that opens backups; name a file with one") from error


def sealed(source: Readable, recipients: Sequence[Recipient]) -> Generator[bytes]:
    """The bytes of the source, encrypted to all of them (to none: as they are), some at a time.

    What reading the source raises is raised.
    """
    if not recipients:
        yield from iter(lambda: source.read(BLOCK), b"")
        return
    read_end, write_end = os.pipe()
    sealing = _Sealing(source, os.fdopen(write_end, "wb", buffering=BLOCK), recipients)
    thread = Thread(target=sealing.run, name="sealing", daemon=True)
    thread.start()
    with os.fdopen(read_end, "rb", buffering=BLOCK) as pipe:
        yield from iter(lambda: pipe.read(BLOCK), b"")
    thread.join()
    if sealing.failed is not None:
        raise sealing.failed


def unseal(blocks: Iterator[bytes], into: BinaryIO, identities: Sequence[Identity]) -> None:
    """Write what was sealed; without identities, what is plain already.

    Raises:
        IntegrityError: it was changed or cut, or none of the identities opens it.
    """
    if not identities:
        for block in blocks:
            into.write(block)
        return
    try:
        decrypt_io(_Blocks(blocks), into, identities)  # pyright: ignore[reportArgumentType] (it only reads)
    except (DecryptError, ValueError, OSError) as error:
        raise IntegrityError(f"it can't be opened ({first_line(error)}): another key's, changed, or cut") from error


class _Sealing:
    """Encrypts in a thread of its own; `failed` is what ended it too early, as the source raised it."""

    def __init__(self, source: Readable, out: BinaryIO, recipients: Sequence[Recipient]) -> None:
        self.failed: Exception | None = None
        self._source = source
        self._out = out
        self._recipients = recipients

    def run(self) -> None:
        try:
            encrypt_io(self, self._out, self._recipients)  # pyright: ignore[reportArgumentType] (it only reads)
        except Exception as error:  # noqa: BLE001 (raised again where the blocks are taken)
            self.failed = self.failed or error
        finally:
            with suppress(OSError):  # nobody takes them any more
                self._out.close()

    def read(self, size: int = -1) -> bytes:
        try:
            return self._source.read(size)
        except Exception as error:
            self.failed = error  # age's own error would only quote it
            raise


class _Blocks:
    """Blocks as something to read from."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = BytesIO()

    def read(self, size: int = -1) -> bytes:
        """At most that many bytes of the next block; none: the end."""
        while not (taken := self._held.read(size)):
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._held = BytesIO(block)
        return taken


def _recipient(written: str) -> Recipient:
    try:
        return ssh.Recipient.from_str(written) if written.startswith("ssh-") else x25519.Recipient.from_str(written)
    except (ValueError, RecipientError):
        raise ConfigurationError(
            "RUSTBUCKET_BACKUP_RECIPIENT is no public key; write age1… or ssh-ed25519 …, as `age-keygen -y` prints it"
        ) from None
