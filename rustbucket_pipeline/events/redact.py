"""Our own secrets, taken out of what attackers and operators will read: tokens, API keys, our Authorization header.

The honeypot logs them: its registration token, and the header of whoever asks it for logs. Attackers' own credentials
stay: they are evidence. The archive keeps every byte; rows and excerpts don't.
"""

import re
from collections.abc import Iterator

REDACTED = "[redacted]"

_SECRETS = re.compile(
    r"(?P<label>"
    r"authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?token\s{1,4}"
    r"|x-api-key[\"']?\s{0,4}[:=]\s{0,4}[\"']?"
    r"|instance token:\s{0,4}"
    r"|\b(?:api[_-]|registration_)key\\?[\"']?\s{0,4}[:=]\s{0,4}(?:some\()?\\?[\"']?"
    r")(?P<secret>[^\s\"',;\\()}]{1,4096})"
    r"|(?P<key>\bsk-[A-Za-z0-9_-]{16,256})",
    re.IGNORECASE,
)
_PAYLOAD_TOKEN = re.compile(r"(\btoken\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?)[^\s\"',;\\()}]{1,4096}", re.IGNORECASE)
_HINTS = (b"token", b"sk-", b"api-key", b"api_key", b"ration_key", b'"authorization"')
_SECRET_FIELDS = frozenset({"token", "api_key", "registration_key", "registration_token", "authorization"})


def may_hold_secret(data: bytes) -> bool:
    """Whether a closer look is worth it: cheap, and never False for what `redacted` would take out."""
    lower = data.lower()
    return any(hint in lower for hint in _HINTS)


def hints_of_secrets(data: bytes) -> Iterator[int]:
    """Where a closer look is worth it: the places in a larger block, in no order."""
    lower = data.lower()
    for hint in _HINTS:
        at = lower.find(hint)
        while at >= 0:
            yield at
            at = lower.find(hint, at + 1)


def redacted(text: str, name: str = "") -> tuple[str, int]:
    """The text without our secrets, and how many were taken out; `name` is the field's that holds it."""
    if name in _SECRET_FIELDS:
        return REDACTED, 1
    found = 0
    if "RegistrationPayload" in text or "Server response" in text:
        text, found = _PAYLOAD_TOKEN.subn(rf"\g<1>{REDACTED}", text)
    text, more = _SECRETS.subn(lambda match: (match["label"] or "") + REDACTED, text)
    return text, found + more


def redacted_bytes(data: bytes) -> bytes:
    """The same for an excerpt of bytes in no known form."""
    if not may_hold_secret(data):
        return data
    return redacted(data.decode("latin-1"))[0].encode("latin-1")
