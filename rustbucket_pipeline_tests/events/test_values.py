"""Addresses, durations and Rust's Debug rendering."""

import pytest

from rustbucket_pipeline.events.values import address_of, milliseconds_of, undebug


@pytest.mark.parametrize(
    ("text", "ip", "port", "exact"),
    [
        ("192.0.2.1", "192.0.2.1", None, True),
        ("192.0.2.1:5555", "192.0.2.1", 5555, True),
        ("[2001:db8::1]:22", "2001:db8::1", 22, True),
        ("2001:db8::1", "2001:db8::1", None, True),
        ("2001:DB8:0::1", "2001:db8::1", None, False),
        ("::ffff:192.0.2.9", "192.0.2.9", None, False),
        ("[::ffff:192.0.2.9]:80", "192.0.2.9", 80, False),
        ("[2001:db8::1]", "2001:db8::1", None, False),
        ("192.0.2.1:080", "192.0.2.1", 80, False),
    ],
)
def test_an_address_gets_its_canonical_spelling(text, ip, port, exact):
    assert address_of(text) == (ip, port, exact)


NO_ADDRESS = (
    *("", "unknown", "١.٢.٣.٤", "999.1.1.1", "010.0.0.1", "192.0.2.1\n", "192.0.2.1:99999", "192.0.2.1:", "[::1"),
    *("[::1]22", "fe80::1%eth0", "1.2.3.4:٢٢", "a" * 10_000, "]:1", "[]:1", ":22", "[1.2.3.4", "[::1]:", "[::1]:x"),
)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_is_none(text):
    assert address_of(text) is None


def test_durations_are_milliseconds():
    assert milliseconds_of("104.729311ms") == 104.729311
    assert milliseconds_of("2.055446s") == 2055.446
    assert milliseconds_of("17µs") == 0.017
    assert milliseconds_of("1e9s") is None
    assert milliseconds_of("9" * 5000 + "s") is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('Some("ROOT")', "ROOT"),
        ("None", None),
        ('["<A@B>", "<C \\"D\\">"]', ["<A@B>", '<C "D">']),
        ("[]", []),
        ('Some("\\u{1b}[0m\\0\\\'\\n")', "\x1b[0m\0'\n"),
        ('Some("x', 'Some("x'),
        ("plain", "plain"),
        ('Some("\\u{110000}")', "\\u{110000}"),
    ],
)
def test_debug_renderings_are_undone(text, meant):
    assert undebug(text) == meant
