"""What the tests of net/ share."""

import ssl

import pytest

from rustbucket_pipeline.net.addresses import parse_networks
from rustbucket_pipeline.net.guard import Guard


@pytest.fixture
def guard() -> Guard:
    """A guard that allows this machine's IPv4 loopback."""
    return Guard(parse_networks(["127.0.0.0/8"]), ssl.create_default_context())


@pytest.fixture
def strict_guard() -> Guard:
    """A guard as it is without settings: public addresses only."""
    return Guard((), ssl.create_default_context())
