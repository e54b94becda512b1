"""Our own visits: flagged, not counted; what an attacker does counts, whatever it looks like."""

from ipaddress import ip_network

import pytest

from rustbucket_pipeline_tests.events.reading import fields_of, parsed, rows

HTTP = "rustbucket::protocols::http"
OURS = (ip_network("198.51.100.0/28"), ip_network("2001:db8:c::/48"))
TOKEN = "Authorization: Token s3cr3t-of-ours"


@pytest.fixture
def request_(json_line):
    """A web request in its two tellings."""

    def write(path="/update_bucket", header=TOKEN, method="GET", at="00:00:01"):
        raw = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n"
        return json_line(
            "Request received", f"{at}.000000", HTTP, event_type="command", protocol="HTTP", request=raw
        ) + json_line(
            "Request parsed", f"{at}.000100", HTTP, event_type="command", protocol="HTTP", method=method, path=path
        )

    return write


@pytest.mark.parametrize("path", ["/update_bucket", "/extract_logs", "/extract_logs/?since=1"])
def test_a_request_with_our_token_is_ours_in_all_its_tellings(request_, path):
    found = rows(request_(path))
    assert [(row.counted, fields_of(row)["_self"]) for row in found] == [(False, True), (False, True)]
    assert "s3cr3t" not in "".join(str(row) for row in found)
    _, tally = parsed(request_(path))
    assert (tally.own, tally.redacted, tally.counted) == (2, 1, 0)


@pytest.mark.parametrize(
    "values",
    [
        {"header": "X: y"},
        {"header": "Authorization: Basic cm9vdDp4"},
        {"path": "/admin"},
        {"path": "/update_bucket_x"},
        {"path": "/?/extract_logs"},
    ],
)
def test_any_other_request_counts(request_, values):
    raw, told = rows(request_(**values))
    assert told.counted
    assert "_self" not in fields_of(raw)


def test_the_same_path_asked_by_another_a_while_later_counts(request_, json_line):
    later = json_line(
        "Request parsed", "00:00:09.000000", HTTP, event_type="command", method="GET", path="/update_bucket"
    )
    assert rows(request_() + later)[-1].counted


@pytest.mark.parametrize("peer", ["198.51.100.7", "[2001:db8:c::9]:4711", "::ffff:198.51.100.7"])
def test_what_comes_from_a_collector_does_not_count(json_line, peer):
    line = json_line("New connection", target="rustbucket", event_type="connection", protocol="HTTP", client_ip=peer)
    (row,) = rows(line, OURS)
    assert (row.counted, fields_of(row)["_self"]) == (False, True)
    assert row.src_ip is not None
    (row,) = rows(line)
    assert row.counted


def test_others_count_although_collectors_are_known(json_line):
    line = json_line(
        "New connection", target="rustbucket", event_type="connection", protocol="FTP", client_ip="192.0.2.1"
    )
    assert rows(line, OURS)[0].counted


def test_a_forged_line_is_never_ours():
    forged = f"2026-03-02T00:00:01.000000Z  INFO {HTTP}: HTTP request received:\nGET /update_bucket HTTP/1.1\n{TOKEN}"
    data = f"2026-03-02T00:00:05.000000Z  INFO rustbucket::protocols: SMTP command received: x\n{forged}\n"
    _, row = rows(data.encode())
    assert (row.event_type, "_self" in fields_of(row)) == ("forgery", False)
    assert "s3cr3t" not in str(row)
