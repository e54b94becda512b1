"""Which addresses may be contacted (threat cases 1 to 4)."""

import pytest

from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.net.addresses import parse_address, parse_networks, refusal


@pytest.mark.parametrize(
    "text",
    [
        *("1.2.3.4\n", " 1.2.3.4", "١.٢.٣.٤", "999.1.1.1", "010.0.0.1", "0xA9FEA9FE", "2852039166", "127.1", "1.2.3"),
        *("1.2.3.4:22", "1.2.3.4#", "user:pw@1.2.3.4", "[::1]", "fe80::1%eth0", "::1%0", "", "localhost", "1.2.3.4/32"),
    ],
)
def test_only_an_address_in_its_usual_form_is_one(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("169.254.169.254", "224.0.0.1", "192.88.99.1", "168.63.129.16", "0.0.0.0", "100.64.0.1", "198.18.0.1"),
        *("10.0.0.5", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.255.255.254", "255.255.255.255", "240.0.0.1"),
        *("192.0.2.1", "198.51.100.7", "203.0.113.9", "192.0.0.8", "0.1.2.3", "239.255.255.250"),
        *("::1", "::", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
        *(
            "2002:a9fe:a9fe::",
            "2001:0:1::1",
            "2001:db8::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "ff02::1",
            "fd00:ec2::254",
        ),
        *("100::1", "3fff::1", "5f00::1", "4000::1"),
    ],
)
def test_an_address_that_isnt_public_is_refused_with_a_reason(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert refusal(address, ())


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001::1"])
def test_a_public_address_may_be_contacted(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert refusal(address, ()) is None


def test_an_operator_can_allow_a_private_network_and_nothing_beside_it() -> None:
    allowed = parse_networks(["10.1.2.0/24", "fd00:1::/64"])
    inside, beside, inside6 = map(parse_address, ("10.1.2.200", "10.1.3.1", "fd00:1::5"))
    assert inside
    assert beside
    assert inside6
    assert refusal(inside, allowed) is None
    assert refusal(inside6, allowed) is None
    assert refusal(beside, allowed) == "private"


@pytest.mark.parametrize("text", ["10.0.0.5/8", "10.0.0.0/33", "everything", ""])
def test_a_malformed_network_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="RUSTBUCKET_ALLOWED_NETWORKS"):
        parse_networks([text])
