"""Messages with their values in the sentence (`FTP PASS: x (username: …)`): how a dialect of such is read.

Also the messages that every era shares, above all registration's, which stayed sentences in JSON files too. A row of a
table: our event type (marked as in `structured`) | template, in `pattern`'s notation; `<P>` stands for each protocol.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rustbucket_pipeline.events.pattern import Pattern
from rustbucket_pipeline.events.record import UNKNOWN, Meaning, Opened, Parsed

_PROTOCOLS = ("SSH", "FTP", "SMTP", "HTTP")


class Template(NamedTuple):
    """A sentence with holes, and what it means."""

    meaning: Meaning
    pattern: Pattern


class Sentences:
    """A table of templates, looked up by a message's first word; the order of the table decides."""

    def __init__(self, table: str) -> None:
        r"""Read the table, `\n` in it standing for a line break."""
        self._by_word: dict[str, list[Template]] = {}
        for word, template in _templates(table):
            self._by_word.setdefault(word, []).append(template)

    def read(self, message: str) -> tuple[Meaning, dict[str, object]] | None:
        """What the message means and what stands in its holes; None when no template fits."""
        for template in self._by_word.get(_first_word(message), ()):
            values = template.pattern.match(message)
            if values is not None:
                return template.meaning, values
        return None


def _first_word(message: str) -> str:
    return message[:64].partition(" ")[0]


def _templates(table: str) -> Iterator[tuple[str, Template]]:
    for row in table.strip().splitlines():
        for protocol in _PROTOCOLS if "<P>" in row else (None,):
            kind, _, template = row.replace("<P>", protocol or "").replace(r"\n", "\n").partition(" | ")
            yield _first_word(template), _template(kind.strip(), template, protocol)


def _template(kind: str, template: str, protocol: str | None) -> Template:
    pattern = Pattern(template)
    debug = tuple(hole.name for hole in pattern.holes if hole.mark == "?")
    told = protocol or next((name for name in _PROTOCOLS if name in template), None)
    meaning = Meaning(
        kind.rstrip("+!"),
        kind.endswith("+"),
        None,
        told.lower() if told else None,
        opens=pattern.opens,
        debug=debug,
        refuses=kind.endswith("!"),
    )
    return Template(meaning, pattern)


class Printf:
    """A dialect whose records are sentences."""

    def __init__(self, name: str, table: str) -> None:
        """Name it as it stands in `log_events.dialect`."""
        self._name = name
        self._sentences = Sentences(table)

    @property
    def name(self) -> str:
        """As it stands in `log_events.dialect`."""
        return self._name

    def recognise(self, record: Opened) -> Parsed | None:
        """The record's reading; None when its message is made from no template of this dialect."""
        if record.text is None:
            return None
        level, target, body, dirty = record.text
        found = self._sentences.read(body)
        return None if found is None else Parsed(self._name, level, target, body, found[1], found[0], dirty)


COMMON = Sentences(r"""
operational | Tracing initialized
operational | Configuration loaded from Config.toml
operational | All listeners started. Honeypot is now running indefinitely.
operational | All listeners have stopped. This should not happen.
operational | Listener for {address} failed: {error}
operational | Checking registration configuration...
operational | Using registry URL from environment variable: {url}
operational | Using registry URL from Config.toml: {url}
operational | Using API key from environment variable
operational | Using API key from Config.toml
operational | Using cached S3 config from previous registration{note}
operational | Using instance identity{note}
operational | No rustbucket_registry_url configured. Registration is optional - skipping.
operational | No registry URL configured. Skipping registration.
operational | No API key configured. Registration may fail if the registry requires authentication.
operational | Including API key in registration request
operational | Failed to load configuration: {error}. Skipping registration.
operational | Gathering system information...
operational | Posting registration data to URL: {url}
operational | Registration payload: {payload}
operational | Generated instance name: {instance_name}
operational | Generated instance token: {token}
operational | Retrieved public IP address: {public_ip}
operational | Failed to retrieve public IP address, using placeholder
operational | Attempting to register instance with URL: {url}
operational | Successfully registered instance '{instance_name}'. Server response: {response*}
operational | Server response: {response*}
operational | Registration failed: {error*}
operational | Server error (500) at {url}
operational | Registration attempt to {url} returned unexpected status: {status}. Server response: {response*}
operational | Failed to send registration request to {url}: {error}
operational | Error details - {error}
operational | URL that caused the error: {url}
operational | Failed to parse identity file, generating new identity: {error}
operational | Failed to read identity file, generating new identity: {error}
operational | Failed to save identity file: {error}
operational | Failed to serialize identity: {error}
operational | Received S3 config from registry: bucket={bucket}, region={region}, prefix={prefix}
operational | Failed to parse registration response: {error*}. S3 config not available.
operational | Loaded existing instance identity from .rustbucket_identity{note}
operational | Created and saved new instance identity to .rustbucket_identity{note}
operational | Saved instance identity to .rustbucket_identity{note}
operational | Loaded fingerprint from identity file{note}
operational | Fingerprinting disabled{note}
operational | Generated new fingerprint{note}
operational | Tarpit delay: {note}
connection+ | Actor attempted to connect to port {port#} - {protocol}
llm         | We sent this to ChatGPT: {llm_request}
llm         | ChatGPT responded: {response*}
llm         | Error response from ChatGPT: {error*}
llm         | ChatGPT request sent model={model} user_message={user_message*}
llm         | ChatGPT protocol-specific request sent model={model} protocol={protocol} user_message={user_message*}
llm         | ChatGPT response received response={response*}
llm         | Sent to ChatGPT: {llm_request*}
""")
"""Sentences that more than one era writes."""


def meaning_of(message: str) -> Meaning:
    """What a sentence that JSON files carry as well means; unknown when it isn't among them."""
    found = COMMON.read(message)
    return found[0] if found else UNKNOWN
