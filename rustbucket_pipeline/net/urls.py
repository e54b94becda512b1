"""Addresses of endpoints as text: the one strict parser, so that what was checked is what is contacted.

Only `http(s)://host[:port][/path]`; nothing is resolved or connected here.
"""

import re
from dataclasses import dataclass

from rustbucket_pipeline.net.addresses import parse_address

_FORM = re.compile(
    r"(?P<scheme>https?)://(\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+))"
    r"(:(?P<port>[0-9]{1,5}))?(?P<path>/[A-Za-z0-9._~/-]*)?",
    re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)

LONGEST_URL = 2048
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed endpoint: `host` is lower-case, an address without brackets or a DNS name; `path` begins with `/`."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(text: str) -> Url | None:
    """The endpoint a text names, or None: no user, query, fragment, odd characters, odd numbers or port 0."""
    form = _FORM.fullmatch(text) if len(text) <= LONGEST_URL else None
    if form is None:
        return None
    host = (form["v6"] or form["host"]).lower()
    port = int(form["port"] or PORTS[form["scheme"]])
    if not (_is_ipv6(host) if form["v6"] else _is_host(host)) or not 0 < port < 65536:
        return None
    return Url(form["scheme"], host, port, form["path"] or "/")


def _is_ipv6(host: str) -> bool:
    address = parse_address(host)
    return address is not None and address.version == 6


def _is_host(host: str) -> bool:
    if parse_address(host):
        return True
    labels = host.split(".")
    named = len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    return named and not _NUMBER.fullmatch(labels[-1])
