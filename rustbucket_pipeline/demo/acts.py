"""What an attacker does on one connection. Nouns only: nothing here knows how a rustbucket logs it.

Times are microseconds since the epoch, UTC. Texts are what the attacker typed, byte for byte.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Protocol = Literal["SSH", "FTP", "SMTP", "HTTP"]
Answer = Literal["native", "unknown", "llm"]
"""How the honeypot answers a command: by itself, not at all, or by asking its language model."""


@dataclass(frozen=True, slots=True)
class Login:
    """A username and password; the honeypot lets everybody in."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command line, and how the honeypot answers it."""

    text: str
    answer: Answer = "native"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file stored by FTP."""

    filename: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail handed in by SMTP; addresses without angle brackets, the body with CRLF line ends."""

    sender: str
    recipients: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `headers` are whole lines."""

    method: str
    path: str
    agent: str
    headers: tuple[str, ...] = ()
    body: str = ""


Step = Login | Command | Upload | Mail | Request


@dataclass(frozen=True, slots=True)
class Forgery:
    """A log line the attacker made up and sends inside a step's text. `claimed` is the time it claims.

    `believed`: the claim is close enough to the truth to count; otherwise the record must come out clamped.
    """

    line: str
    claimed: int
    believed: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """One connection. `source` is an address as the honeypot prints it; `leaves`: says goodbye instead of hanging up.

    `typed`: over SSH, a terminal with a person or expect script behind it, not one exec request per command.
    `refused`: over SSH, the honeypot's rate limiter turns it away.
    """

    at: int
    protocol: Protocol
    source: str
    port: int
    steps: tuple[Step, ...]
    leaves: bool = False
    typed: bool = False
    refused: bool = False
    forgeries: tuple[Forgery, ...] = ()


def microseconds(moment: datetime) -> int:
    """Exact microseconds since the epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(at: int) -> datetime:
    """The UTC time of microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=at)
