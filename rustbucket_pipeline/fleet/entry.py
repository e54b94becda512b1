"""What an operator says about a rustbucket, checked field by field: the same rules for `fleet add` and for files.

No database here; whether it clashes with other rustbuckets is `clashes.py`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rustbucket_pipeline.errors import FetchFailed, UsageError
from rustbucket_pipeline.fleet.places import place_of
from rustbucket_pipeline.model.rustbucket import ID_PATTERN
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.net.addresses import parse_address, refusal
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.net.urls import parse_url
from rustbucket_pipeline.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:@()/+-]{0,99}", re.ASCII)
_OS = re.compile(r"[ -~]{1,100}", re.ASCII)
_S3_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+){0,4}", re.ASCII)
_S3_OWNER = re.compile(r"[0-9]{12}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{8,500}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """A rustbucket to be registered. Without an id it gets the next free one. `token` is secret and never shown."""

    name: str
    id: str | None = None
    base_url: str | None = None
    logs_url: str | None = None
    ip_address: str | None = None
    os: str | None = None
    token: str | None = None
    s3_region: str | None = None
    s3_owner: str | None = None

    def __repr__(self) -> str:
        return f"Entry(id={self.id!r}, name={self.name!r})"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings allow of an entry."""

    settings: Settings
    guard: Guard

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """The rules these settings ask for. Raises `ConfigurationError` if they are malformed."""
        return cls(settings, Guard.of(settings))


def read_entry(fields: Mapping[str, str], rules: Rules) -> tuple[Entry | None, list[str]]:
    """The entry these fields describe, or None and all that is wrong with them. An empty field is a missing one."""
    problems = [f"unknown field {shown(name)}; known are {', '.join(FIELDS)}" for name in fields if name not in FIELDS]
    values: dict[str, str] = {}
    for name, check in FIELDS.items():
        if not (text := fields.get(name, "")):
            continue
        try:
            values[name] = check(text, rules)
        except (UsageError, FetchFailed) as error:
            problems.append(str(error))
    if not fields.get("name"):
        problems.append("name is missing; give it one")
    if not (fields.get("logs_url") or fields.get("base_url")):
        problems.append("logs_url and base_url are both missing; say where its logs are, or where it can be asked")
    return (None if problems else Entry(**values)), problems


def shown(text: str) -> str:
    """Text a person typed, for a message about it."""
    return f"'{bounded(text, 80)}'"


def _id(text: str, _: Rules) -> str:
    if not ID_PATTERN.fullmatch(text):
        raise UsageError(f"id {shown(text)} isn't BKT and up to 18 digits, like BKT100001")
    return text


def _name(text: str, _: Rules) -> str:
    if not _NAME.fullmatch(text):
        raise UsageError(
            f"name {shown(text)} must begin with a letter or digit; 100 letters, digits, blanks and ._:@()/+- at most"
        )
    return text


def _base_url(text: str, rules: Rules) -> str:
    url = parse_url(text)
    if url is None:
        raise UsageError(f"base_url {shown(text)} isn't of the form http(s)://host[:port][/path]")
    rules.guard.check_url(url)
    return f"{url.scheme}://{url.authority}{url.path.rstrip('/')}"


def _logs_url(text: str, rules: Rules) -> str:
    return place_of(text, rules.settings.source_roots)


def _ip_address(text: str, rules: Rules) -> str:
    address = parse_address(text)
    if address is None:
        raise UsageError(f"ip_address {shown(text)} is no IP address; write it like 8.8.4.4 or 2a00::1")
    if reason := refusal(address, rules.guard.allowed):
        raise UsageError(f"ip_address {address} is {reason}; RUSTBUCKET_ALLOWED_NETWORKS can allow it")
    return str(address)


def _os(text: str, _: Rules) -> str:
    if not _OS.fullmatch(text):
        raise UsageError(f"os {shown(text)} may have up to 100 printable ASCII characters")
    return text


def _s3_region(text: str, _: Rules) -> str:
    if not _S3_REGION.fullmatch(text):
        raise UsageError(f"s3_region {shown(text)} is no region; write it like eu-central-1, or leave it out")
    return text


def _s3_owner(text: str, _: Rules) -> str:
    if not _S3_OWNER.fullmatch(text):
        raise UsageError(f"s3_owner {shown(text)} is no account; write its 12 digits, or leave it out")
    return text


def _token(text: str, _: Rules) -> str:
    if not _TOKEN.fullmatch(text):
        raise UsageError("token must be 8 to 500 printable ASCII characters without blanks (it isn't shown here)")
    return text


FIELDS: Mapping[str, Callable[[str, Rules], str]] = {
    "id": _id,
    "name": _name,
    "base_url": _base_url,
    "logs_url": _logs_url,
    "ip_address": _ip_address,
    "os": _os,
    "token": _token,
    "s3_region": _s3_region,
    "s3_owner": _s3_owner,
}
"""Every field of an entry, in the order of a file's columns, and what makes its text a value."""
