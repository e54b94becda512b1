"""Single values, made canonical or readable: addresses, durations, Rust's Debug rendering. No records, no columns."""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

_QUOTED = r'"(?:[^"\\]|\\.)*+"'
DEBUG_VALUE = re.compile(rf"Some\({_QUOTED}\)|None|\[(?:{_QUOTED}(?:, )?)*+\]|{_QUOTED}", re.DOTALL)
"""A value as Rust's `{:?}` writes an optional string, a list of strings or a string."""

_ITEM = re.compile(_QUOTED, re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(ns|µs|us|ms|s|)\Z", re.ASCII)
_MILLISECONDS = {"": 1000.0, "ns": 1e-6, "µs": 1e-3, "us": 1e-3, "ms": 1.0, "s": 1000.0}
_BRACKETED = re.compile(r"\[([0-9a-fA-F:.]+)\](?::([0-9]{1,5}))?", re.ASCII)
_WITH_PORT = re.compile(r"([0-9.]+):([0-9]{1,5})", re.ASCII)
_LONGEST_ADDRESS = 64
HIGHEST_PORT = 65535


class Address(NamedTuple):
    """An address in its canonical spelling (IPv4-mapped IPv6 as IPv4) and a port, if one was written.

    `exact`: the text can be spelled again from these two, so it needn't be kept.
    """

    ip: str
    port: int | None
    exact: bool


def address_of(text: str) -> Address | None:
    """The address in `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]:5`; None when there is none."""
    if len(text) > _LONGEST_ADDRESS:
        return None
    host, port = _split_port(text)
    ip = _canonical(host)
    if ip is None or (port is not None and port > HIGHEST_PORT):
        return None
    return Address(ip, port, _spelled(ip, port) == text)


@lru_cache(maxsize=8192)
def _canonical(host: str) -> str | None:
    """Whoever comes again comes from another port, so ports aren't remembered with it."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return None
        ip = ip.ipv4_mapped or ip
    return str(ip)


def _spelled(ip: str, port: int | None) -> str:
    if port is None:
        return ip
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _split_port(text: str) -> tuple[str, int | None]:
    found = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    if found is None:
        return text, None
    return found[1], int(found[2]) if found[2] else None


def milliseconds_of(text: str) -> float | None:
    """The length of `104.729311ms`, `17µs`, `2.05s`, `2.05` (seconds); None when it is no duration."""
    found = _DURATION.match(text)
    return round(float(found[1]) * _MILLISECONDS[found[2]], 6) if found else None


def undebug(text: str) -> str | list[str] | None:
    """What Rust's Debug rendering stands for: `Some("X")` and `"X"` → X, `["a", "b"]` → a list, `None` → None.

    Text that is no such rendering comes back as it is.
    """
    if text == "None":
        return None
    if not DEBUG_VALUE.fullmatch(text):
        return text
    items = [_unescape(item[1:-1]) for item in _ITEM.findall(text)]
    return items if text.startswith("[") else items[0]


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return _SIMPLE.get(escape[2], escape[2])
    point = int(escape[1], 16)
    return chr(point) if point <= 0x10FFFF else escape[0]
