"""Secrets at rest: tokens are kept encrypted (Fernet), under keys of the settings or of a file in the home.

The first key encrypts, all of them decrypt: put a new one in front to rotate. What is secret is decided elsewhere.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from rustbucket_pipeline.errors import ConfigurationError, IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import private_directory, write_once

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
            f"a stored secret can't be decrypted: none of the keys in {_source(settings)} made it; "
            "put the old key back, or set the secret again"
        ) from None


def _keys(settings: Settings) -> MultiFernet:
    given = [key.get_secret_value() for key in settings.secret_keys] or _kept_keys(settings)
    try:
        return MultiFernet([Fernet(key) for key in given])
    except ValueError:
        raise ConfigurationError(
            f"a key in {_source(settings)} is no Fernet key (32 bytes, url-safe base64); correct it"
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


def _source(settings: Settings) -> str:
    return "RUSTBUCKET_SECRET_KEYS" if settings.secret_keys else str(settings.home / KEYS_FILE)
