"""Which targets there are, and what each is told: `SENTRY_DSN` and `RUSTBUCKET_NOTIFY_URLS`, read. Sends nothing.

`[WORDS] URL [WORDS] URL …`: words are separated by commas; a severity means it and every worse one, a kind only that
kind, `digest` the nightly digest and nothing else. Without a severity: warnings and worse, or whatever kinds are named.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from pydantic import SecretStr

from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings

DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Target:
    """Somewhere alerts are sent to. `key` is a hash of its address, which holds secrets; `name` shows none of it."""

    key: str
    name: str
    road: Literal["sentry", "apprise"]
    address: SecretStr = field(repr=False)
    severities: frozenset[Severity] = Severity.WARNING.at_least
    kinds: frozenset[Kind] = frozenset(Kind)
    digest_only: bool = False


def targets_of(settings: Settings) -> list[Target]:
    """Every target that is configured, each address once.

    Raises:
        ConfigurationError: `RUSTBUCKET_NOTIFY_URLS` has a word that is none, or words without a URL.
    """
    found: dict[str, Target] = {}
    if settings.sentry_dsn is not None:
        sentry = _target("sentry", settings.sentry_dsn.get_secret_value(), "")
        found[sentry.key] = sentry
    words = ""
    for token in settings.notify_urls.get_secret_value().split() if settings.notify_urls else ():
        if "://" in token:
            target = _target("apprise", token, words)
            found[target.key] = target
            words = ""
        else:
            words = f"{words},{token}"
    if words:
        raise ConfigurationError(_wrong("the last words have no URL after them"))
    return list(found.values())


def _target(road: Literal["sentry", "apprise"], address: str, words: str) -> Target:
    key = sha256(address.encode()).hexdigest()[:16]
    scheme = "sentry" if road == "sentry" else address.partition("://")[0]
    name = f"{scheme if scheme.isalnum() else 'target'} {key[:4]}"
    chosen = {word for word in words.split(",") if word}
    severities = [Severity(word) for word in chosen if word in set(Severity)]
    kinds = frozenset(Kind(word) for word in chosen if word in set(Kind))
    if len(severities) > 1 or len(severities) + len(kinds) + (DIGEST in chosen) != len(chosen):
        raise ConfigurationError(_wrong("a word before a URL is no kind, more than one is a severity, or it is no URL"))
    anything = Severity.INFO if kinds else Severity.WARNING
    return Target(
        key=key,
        name=name,
        road=road,
        address=SecretStr(address),
        severities=(severities[0] if severities else anything).at_least,
        kinds=kinds or frozenset(Kind),
        digest_only=DIGEST in chosen,
    )


def _wrong(what: str) -> str:
    """Never the value: URLs hold secrets."""
    return f"RUSTBUCKET_NOTIFY_URLS: {what}; write `URL`, `error URL` or `info,poll_failed URL` (docs/alerts.md)"
