"""Secrets at rest: tokens are kept encrypted (Fernet), under keys of the settings or of a file in the home.

The first key encrypts, all of them decrypt: put a new one in front to rotate. What is secret is decided elsewhere.
"""

from collections.abc import Collection
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from rustbucket_pipeline.errors import ConfigurationError, IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import private_directory, replace_text, write_once

KEYS_FILE = "secret.keys"


def encrypt(settings: Settings, text: str) -> bytes:
    """The text as only a holder of the keys can read it; never twice the same bytes.

    Raises:
        ConfigurationError: a key is malformed, or the home can't hold the first one.
    """
    return _keys(settings).encrypt(text.encode())


def decrypt(settings: Settings, data: bytes) -> str:
    """The text that was encrypted.

    Raises:
        ConfigurationError: a key is malformed.
        IntegrityError: none of the keys fits, or the bytes were changed.
    """
    try:
        return _keys(settings).decrypt(data).decode()
    except InvalidToken:
        raise IntegrityError(
            f"a stored secret can't be decrypted: none of the keys in {source_of_keys(settings)} made it; "
            "put the old key back, or set the secret again"
        ) from None


def renew(settings: Settings, data: bytes) -> bytes:
    """The same secret under the newest key.

    Raises:
        IntegrityError: none of the keys fits, or the bytes were changed.
    """
    return encrypt(settings, decrypt(settings, data))


def key_names(settings: Settings) -> list[str]:
    """The keys, newest first, each by a name that doesn't give it away: the start of its SHA-256."""
    return [_name(key) for key in _given(settings)]


def source_of_keys(settings: Settings) -> str:
    """Where the keys are: the variable, or the home's file."""
    return "RUSTBUCKET_SECRET_KEYS" if settings.secret_keys else str(settings.home / KEYS_FILE)


def add_key(settings: Settings) -> list[str]:
    """Put a new key in front of the home's own, which still decrypt; the names of those.

    Nothing happens where the settings hold the keys. Callers take turns.
    """
    if settings.secret_keys:
        return []
    old = _kept_keys(settings)
    _write_keys(settings, [Fernet.generate_key().decode(), *old])
    return [_name(key) for key in old]


def drop_keys(settings: Settings, names: Collection[str]) -> None:
    """Forget the home's own keys of these names: what they encrypted can't be read any more. Callers take turns."""
    if not settings.secret_keys:
        _write_keys(settings, [key for key in _kept_keys(settings) if _name(key) not in names])


def _name(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:16]


def _write_keys(settings: Settings, keys: list[str]) -> None:
    replace_text(settings.home / KEYS_FILE, "".join(f"{key}\n" for key in keys))


def _given(settings: Settings) -> list[str]:
    return [key.get_secret_value() for key in settings.secret_keys] or _kept_keys(settings)


def _keys(settings: Settings) -> MultiFernet:
    given = _given(settings)
    try:
        return MultiFernet([Fernet(key) for key in given])
    except ValueError:
        raise ConfigurationError(
            f"a key in {source_of_keys(settings)} is no Fernet key (32 bytes, url-safe base64); correct it"
        ) from None


def _kept_keys(settings: Settings) -> list[str]:
    """The home's own keys, one a line, newest first; made by whichever process comes first."""
    path = private_directory(settings.home) / KEYS_FILE
    if not path.exists():
        write_once(path, Fernet.generate_key().decode() + "\n")
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} can't be read ({error}); correct its rights or set RUSTBUCKET_SECRET_KEYS"
        ) from error
