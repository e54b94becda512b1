"""Which IP addresses may be contacted: a pure question, strictly parsed. Names are resolved in `guard.py`.

The list is our own because Python's `is_global` lets through multicast, 6to4, NAT64 and some clouds' metadata services.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from rustbucket_pipeline.errors import ConfigurationError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_RESERVED = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a carrier",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "a cloud's metadata service",
    "169.254.0.0/16": "link-local, where metadata services are",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "for documentation",
    "192.88.99.0/24": "a 6to4 relay",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
    "::/96": "unspecified, loopback or an IPv4 address in disguise",
    "::ffff:0:0/96": "an IPv4 address in disguise",
    "64:ff9b::/96": "an IPv4 address behind NAT64",
    "64:ff9b:1::/48": "an IPv4 address behind NAT64",
    "2001::/23": "reserved, or an IPv4 address behind Teredo",
    "2001:db8::/32": "for documentation",
    "2002::/16": "an IPv4 address behind 6to4",
    "3fff::/20": "for documentation",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "ff00::/8": "multicast",
}
RESERVED: tuple[tuple[Network, str], ...] = tuple((ip_network(text), name) for text, name in _RESERVED.items())
"""Networks that are never contacted unless an operator allows them, and what each is."""

PUBLIC_IPV6 = ip_network("2000::/3")
"""The only part of IPv6 that is routed between networks."""


def parse_address(text: str) -> Address | None:
    """The address written in its usual form, or None: no zone, leading zeros, other digits, numbers or short forms."""
    if not text.isascii() or "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def parse_networks(texts: Sequence[str], setting: str = "RUSTBUCKET_ALLOWED_NETWORKS") -> tuple[Network, ...]:
    """Networks in CIDR notation. Raises `ConfigurationError` naming the one that isn't, and its setting."""
    return tuple(_parse_network(text, setting) for text in texts)


def _parse_network(text: str, setting: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ConfigurationError(
            f"{setting}: {text!r} is no network; write it like 10.1.2.0/24, without host bits"
        ) from None


def refusal(address: Address, allowed: Sequence[Network]) -> str | None:
    """Why the address may not be contacted, e.g. `private`; None when it may."""
    if any(address in network for network in allowed):
        return None
    for network, what in RESERVED:
        if address in network:
            return what
    if address.version == 6 and address not in PUBLIC_IPV6:
        return "not public"
    return None if address.is_global else "not public"
