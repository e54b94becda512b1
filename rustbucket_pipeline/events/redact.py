"""Our own secrets, taken out of what attackers and operators will read: tokens, API keys, our Authorization header.

The honeypot logs them: its registration token, and the header of whoever asks it for logs. Attackers' own credentials
stay: they are evidence. The archive keeps every byte; rows and excerpts don't.
"""

import re

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
SECRET_HINTS = (b"token", b"sk-", b"api-key", b"api_key", b"ration_key", b'"authorization"')
"""In lower case; where none of them stands, none of our secrets does."""

_SECRET_FIELDS = frozenset({"token", "api_key", "registration_key", "registration_token", "authorization"})


def may_hold_secret(data: bytes) -> bool:
    """Whether a closer look is worth it: cheap, and never False for what `redacted` would take out."""
    lower = data.lower()
    return any(hint in lower for hint in SECRET_HINTS)


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
    """The same for bytes in no known form, which may begin or end anywhere."""
    return redacted_excerpt(data)[0]


def redacted_excerpt(data: bytes) -> tuple[bytes, int]:
    """The same, and how many secrets were taken out."""
    if not may_hold_secret(data):
        return data, 0
    text, found = _PAYLOAD_TOKEN.subn(rf"\g<1>{REDACTED}", data.decode("latin-1"))
    text, more = redacted(text)
    return text.encode("latin-1"), found + more
