"""Endpoints are written one way only (threat case 5)."""

import pytest

from rustbucket_pipeline.net.urls import Url, parse_url


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("https://bucket.example.net", Url("https", "bucket.example.net", 443, "/")),
        ("http://8.8.4.4:8080/rustbucket", Url("http", "8.8.4.4", 8080, "/rustbucket")),
        ("https://[2A00::1]:8443/", Url("https", "2a00::1", 8443, "/")),
        ("http://UPPER.Example:80", Url("http", "upper.example", 80, "/")),
    ],
)
def test_an_endpoint_is_read(text: str, parsed: Url) -> None:
    assert parse_url(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        *(
            "evil.example:8080/x?",
            "http://evil.example:8080/x?",
            "http://user:pw@1.2.3.4",
            "http://1.2.3.4#",
            "1.2.3.4:22",
        ),
        *(
            "http://0xA9FEA9FE",
            "http://2852039166",
            "http://127.1",
            "http://010.0.0.1",
            "http://1.2.3",
            "http://a.0x7f",
        ),
        *("http://[::1", "http://[1.2.3.4]", "http://[fe80::1%25eth0]", "http://1.2.3.4:0", "http://1.2.3.4:65536"),
        *(
            "file:///etc/passwd",
            "gopher://1.2.3.4",
            "HTTP://1.2.3.4",
            "http://",
            "http:///x",
            "https://a b",
            "http://a\n",
        ),
        *(
            "http://a..b",
            "http://-a.b",
            "http://" + "a" * 64 + ".b",
            "http://bücher.example",
            "http://a/%2e%2e",
            "http://a\\@b",
        ),
        "http://a/" + "x" * 3000,
    ],
)
def test_anything_else_is_no_endpoint(text: str) -> None:
    assert parse_url(text) is None


def test_the_authority_is_what_a_host_header_has() -> None:
    urls = [parse_url(text) for text in ("https://[2a00::1]:8443", "https://a.example", "http://a.example:443")]
    assert [url.authority for url in urls if url] == ["[2a00::1]:8443", "a.example", "a.example:443"]
