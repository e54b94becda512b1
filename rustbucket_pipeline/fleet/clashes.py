"""Whether a rustbucket would take what belongs to another: its id, place of logs, address or endpoint. Pure."""

from collections.abc import Iterator, Sequence

from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.fleet.places import overlap
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.net.addresses import parse_address
from rustbucket_pipeline.net.urls import parse_url


def clashes(entry: Entry, others: Sequence[Rustbucket | Entry]) -> list[str]:
    """Everything of the entry that is another's; each says whose.

    A retired rustbucket keeps its id and its logs' place (they were archived as its own), not its address.
    """
    return [problem for other in others for problem in _clashes_with(entry, other)]


def _clashes_with(entry: Entry, other: Rustbucket | Entry) -> Iterator[str]:
    if entry.id == other.id:
        yield f"{other.id} exists already; leave the id out to get the next free one"
        return
    if entry.logs_url and other.logs_url and overlap(entry.logs_url, other.logs_url):
        yield f"logs_url {entry.logs_url} overlaps with {other.logs_url} of {other.id}; each needs a prefix of its own"
    if isinstance(other, Rustbucket) and other.status == Status.INACTIVE:
        return
    if entry.base_url and entry.base_url == other.base_url:
        yield f"base_url {entry.base_url} is that of {other.id}; each needs its own"
    if entry.ip_address and entry.ip_address == other.ip_address:
        yield f"ip_address {entry.ip_address} is that of {other.id}; retire that one first, or leave it out"
    if other.ip_address and other.ip_address == _host(entry):
        yield f"base_url {entry.base_url} leads to the address of {other.id}; each rustbucket needs its own"
    if entry.ip_address and entry.ip_address == _host(other):
        yield f"ip_address {entry.ip_address} is where {other.id} is asked; each rustbucket needs its own"


def _host(one: Rustbucket | Entry) -> str | None:
    """The address its endpoint has, where it is named by address."""
    url = parse_url(one.base_url or "")
    return str(address) if url and (address := parse_address(url.host)) else None
