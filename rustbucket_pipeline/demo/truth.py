"""What the simulator knows to be true of its own bytes.

Written while acting, from what was meant; no log is read back, no parser asked. Times are microseconds since the epoch.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from rustbucket_pipeline.demo.cast import SimulatedRustbucket
from rustbucket_pipeline.demo.dialects.emission import Told
from rustbucket_pipeline.demo.files import LogFile
from rustbucket_pipeline.demo.lines import Line

_HALF_HOUR_US = 1_800_000_000
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")


@dataclass(frozen=True, slots=True)
class TrueFile:
    """A file as a source holds it. `key` is below the rustbucket's `sources`, or `extract_logs`; sizes in bytes."""

    rustbucket_id: str
    key: str
    bytes: int
    sha256: str
    copy: bool


@dataclass(frozen=True, slots=True)
class TrueRecord:
    """Bytes `[offset, offset + length)` of a file, final newline included, that are one record.

    `identity`: the same for the same record in another file, different for an equal record of the same file and half
    hour. `expect`: `event`, `quarantine`, or `duplicate` where another file has the record too. `forged`: an attacker
    wrote the head. `kind` and all below it are None where the record doesn't say, or a forgery tears it.
    """

    rustbucket_id: str
    file: str
    offset: int
    length: int
    identity: str
    dialect: str
    event_at: int
    clamped: bool
    forged: bool
    expect: str
    kind: str | None
    protocol: str | None
    src_ip: str | None
    username: str | None
    password: str | None
    command: str | None


def true_file(rustbucket: SimulatedRustbucket, file: LogFile) -> TrueFile:
    """Size and hash of a file."""
    data = file.data
    return TrueFile(rustbucket.id, file.key, len(data), sha256(data).hexdigest(), file.copy)


def true_records(rustbucket: SimulatedRustbucket, file: LogFile) -> Iterator[TrueRecord]:
    """Every record of a file, in order, covering its bytes exactly once."""
    offset, before = 0, file.start
    seen = Counter[tuple[str, int]]()
    for line in file.lines:
        for piece in line.pieces():
            at = before if piece.claimed is None else piece.claimed
            digest = sha256(piece.data).hexdigest()
            nth = seen[digest, at // _HALF_HOUR_US]
            seen[digest, at // _HALF_HOUR_US] += 1
            yield TrueRecord(
                rustbucket.id,
                file.key,
                offset,
                len(piece.data),
                f"{digest}:{nth}",
                rustbucket.dialect.name,
                at,
                piece.claimed is None,
                piece.forged,
                _expected(file, line),
                *_told(rustbucket, None if line.broken else piece.told),
            )
            offset, before = offset + len(piece.data), at


def _expected(file: LogFile, line: Line) -> str:
    if line.broken:
        return "quarantine"
    return "duplicate" if file.copy else "event"


def _told(rustbucket: SimulatedRustbucket, told: Told | None) -> tuple[str | None, ...]:
    """Kind, protocol, address, username, password and command, as far as a reader can be sure of them."""
    if told is None:
        return (None,) * 6
    protocol = told.protocol.lower() if told.protocol else None
    texts = (_sure(rustbucket, text) for text in (told.username, told.password, told.command))
    return (told.kind, protocol, _address(told.source), *texts)


def _sure(rustbucket: SimulatedRustbucket, text: str | None) -> str | None:
    """The text, unless PostgreSQL can't hold it (NUL) or the dialect leaves open where it begins and ends."""
    if text is None or "\0" in text:
        return None
    return text if rustbucket.dialect.name == "json" or _PLAIN.fullmatch(text) else None


def _address(logged: str | None) -> str | None:
    """Canonical form: IPv4-mapped addresses are IPv4."""
    if logged is None:
        return None
    address = ip_address(logged)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
