"""Our own secrets, taken out of what attackers and operators will read: tokens, API keys, our Authorization header.

The honeypot logs them: its registration token, and the header of whoever asks it for logs. Attackers' own credentials
stay: they are evidence. The archive keeps every byte; rows and excerpts don't.
"""

import re

REDACTED = "[redacted]"

_IS = r"\\{0,3}[\"']?\s{0,16}[:=]\s{0,16}(?:some\()?\\{0,3}[\"']?"
"""What stands between a name and its value: `: "`, `=`, `\": Some(\"` and the like."""

_VALUE = r"[^\s\"',;\\()}]{1,4096}"
_SECRETS = re.compile(
    r"(?P<label>"
    rf"authorization{_IS}token\s{{1,16}}(?:token=)?\\{{0,3}}[\"']?"
    rf"|x-api-key{_IS}"
    r"|instance token:\s{0,16}"
    rf"|\b(?:api[_-]|registration_)key{_IS}"
    rf")(?P<secret>{_VALUE})"
    r"|(?P<key>\bsk-[A-Za-z0-9_-]{16,256})",
    re.IGNORECASE,
)
_ITS_TOKEN = re.compile(rf"(\btoken{_IS}){_VALUE}", re.IGNORECASE)
"""A token without more ado: ours where a registration is told of, an attacker's anywhere else."""

SECRET_HINTS = (b"token", b"sk-", b"api-key", b"api_key", b"ration_key", b'"authorization"')
"""In lower case; where none of them stands, none of our secrets does."""

_REGISTERING = ("egistration payload", "RegistrationPayload", "Server response", "registration response")
_SECRET_FIELDS = frozenset({"token", "api_key", "registration_key", "registration_token", "authorization"})


def may_hold_secret(data: bytes) -> bool:
    """Whether a closer look is worth it: cheap, and never False for what `redacted` would take out."""
    lower = data.lower()
    return any(hint in lower for hint in SECRET_HINTS)


def may_register(message: str, target: str | None) -> bool:
    """Whether a record tells of a registration: then every token in it is ours."""
    return "registration" in (target or "") or _tells_of_registration(message)


def _tells_of_registration(text: str) -> bool:
    return any(words in text for words in _REGISTERING)


def redacted(text: str, name: str = "", *, registers: bool = False) -> tuple[str, int]:
    """The text without our secrets, and how many were taken out.

    `name` is the field's that holds it; `registers`: it may be of a record that tells of a registration.
    """
    if name.rpartition(".")[2] in _SECRET_FIELDS:
        return REDACTED, 1
    found = 0
    if registers or _tells_of_registration(text):
        text, found = _ITS_TOKEN.subn(rf"\g<1>{REDACTED}", text)
    text, more = _SECRETS.subn(lambda match: (match["label"] or "") + REDACTED, text)
    return text, found + more


def redacted_bytes(data: bytes) -> bytes:
    """The same for bytes in no known form, which may begin or end anywhere."""
    return redacted_excerpt(data)[0]


def redacted_excerpt(data: bytes) -> tuple[bytes, int]:
    """The same, and how many secrets were taken out."""
    if not may_hold_secret(data):
        return data, 0
    text, found = redacted(data.decode("latin-1"), registers=True)
    return text.encode("latin-1"), found
