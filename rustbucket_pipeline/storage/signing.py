"""The home's signature (Ed25519): whoever has the database and the archive, but not the home, can't make one.

The private key is `signing.key` in the home (0600), made on first use. What is signed is decided elsewhere.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import private_directory, write_once

KEY_FILE = "signing.key"


def sign(settings: Settings, data: bytes) -> str:
    """The home's signature of these bytes, in hex.

    Raises:
        ConfigurationError: the key can't be read or made.
    """
    return _private_key(settings).sign(data).hex()


def public_key(settings: Settings) -> str:
    """The key, in hex, by which anybody can check the home's signatures.

    Raises:
        ConfigurationError: the key can't be read or made.
    """
    return _private_key(settings).public_key().public_bytes_raw().hex()


def is_signed(key: str, signature: str, data: bytes) -> bool:
    """Whether the holder of that public key signed these bytes; False too where key or signature is no such thing."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private_key(settings: Settings) -> Ed25519PrivateKey:
    path = private_directory(settings.home) / KEY_FILE
    if not path.exists():
        write_once(path, Ed25519PrivateKey.generate().private_bytes_raw().hex() + "\n")
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} can't be used as a key ({error}); put it back from a backup") from error
