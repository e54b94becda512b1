"""Cases 1 to 5 and 12: addresses that a registry must not take, and that are never contacted should it hold them."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.storage.secrets import encrypt
from rustbucket_pipeline_tests.hostile.collector import OTHERS_TOKEN, Collector, served
from rustbucket_pipeline_tests.net.loopback import loopback


def _refused_and_never_contacted(collector: Collector, endpoints: Sequence[str], reason: str = "") -> None:
    """No operator can register them; planted in the registry, they are named, and no connection is tried."""
    for endpoint in endpoints:
        assert collector.refused(base_url=endpoint), endpoint
    ids = [
        collector.plant(f"BKT{200_000 + n}", base_url=text, token=encrypt(collector.settings, OTHERS_TOKEN))
        for n, text in enumerate(endpoints)
    ]
    ran = collector.run()
    for rustbucket_id, endpoint in zip(ids, endpoints, strict=True):
        outcome, detail = ran.outcomes[rustbucket_id]
        assert (outcome, reason in detail) == ("blocked", True), (endpoint, detail)
        assert reason in ran.failed[rustbucket_id]
        assert {("poll_failed", rustbucket_id), ("source_failed", rustbucket_id)} <= ran.alerts.keys()


def _hosts(*texts: str) -> list[str]:
    return [f"http://[{text}]" if ":" in text else f"http://{text}" for text in texts]


def test_case_01_the_metadata_service_is_refused_at_load_and_never_contacted(collector: Collector) -> None:
    (problem,) = collector.refused(ip_address="169.254.169.254", logs_url="s3://logs/1")
    assert "link-local, where metadata services are" in problem
    _refused_and_never_contacted(
        collector, ["http://169.254.169.254", "https://169.254.169.254/latest/meta-data"], "link-local"
    )


def test_case_02_what_isnt_an_address_in_its_usual_form_is_none(collector: Collector) -> None:
    texts = ["1.2.3.4\n", "١.٢.٣.٤", "999.1.1.1", "010.0.0.1"]
    for text in texts:
        assert "is no IP address" in " ".join(collector.refused(ip_address=text, logs_url="s3://logs/1"))
    _refused_and_never_contacted(collector, _hosts(*texts), "no usable base_url")


def test_case_03_addresses_in_disguise_are_refused(collector: Collector) -> None:
    _refused_and_never_contacted(collector, _hosts("0xA9FEA9FE", "2852039166", "127.1"), "no usable base_url")


def test_case_03_addresses_within_addresses_are_refused(collector: Collector) -> None:
    _refused_and_never_contacted(
        collector, _hosts("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"), "an IPv4 address"
    )


def test_case_04_addresses_for_other_uses_are_refused(collector: Collector) -> None:
    texts = ["224.0.0.1", "192.88.99.1", "168.63.129.16", "0.0.0.0", "100.64.0.1", "198.18.0.1"]
    for text in texts:
        assert collector.refused(ip_address=text, logs_url="s3://logs/1")
        assert ip_address(text)
    _refused_and_never_contacted(collector, _hosts(*texts), "RUSTBUCKET_ALLOWED_NETWORKS can allow it")


def test_case_05_nothing_but_host_port_and_path_is_an_endpoint(collector: Collector) -> None:
    texts = ["evil.example:8080/x?", "http://evil.example:8080/x?", "http://user:pw@1.2.3.4", "http://1.2.3.4#"]
    _refused_and_never_contacted(collector, texts, "no usable base_url")


def test_case_05_ports_of_other_services_are_refused(collector: Collector) -> None:
    _refused_and_never_contacted(collector, ["http://1.2.3.4:22", "https://8.8.8.8:3306"], "port")


def test_case_12_no_second_rustbucket_takes_the_address_of_one(collector: Collector) -> None:
    (collector.sources / "first").mkdir()
    collector.register("first", http=False, logs_url=collector.sources.as_uri() + "/first", ip_address="127.0.0.2")
    for fields in ({"ip_address": "127.0.0.2"}, {"base_url": "http://127.0.0.2:8080"}):
        with pytest.raises(UsageError, match="BKT100003"):
            collector.register("second", **{"logs_url": "s3://logs/2", **fields})
    collector.run()


def test_case_12_who_shares_an_address_isnt_asked_there_and_no_token_crosses(collector: Collector) -> None:
    theirs = {"token": encrypt(collector.settings, OTHERS_TOKEN)}
    with loopback(served(b"the first one's\n"), host="127.0.0.2") as server:
        fields = {"base_url": f"{server.url}/first", "ip_address": server.host, "token": "token-of-the-first-one"}
        first = collector.register("first", **fields)
        collector.plant("BKT200001", base_url=f"{server.url}/second", ip_address=server.host, **theirs)
        collector.plant("BKT200002", base_url=f"{server.url}/third", **theirs)
        ran = collector.run(server.host)
    assert [ran.outcomes[of][0] for of in (first, "BKT200001", "BKT200002")] == ["ok", "blocked", "blocked"]
    assert "127.0.0.2 is registered as that of BKT100003" in ran.failed["BKT200001"]
    assert "127.0.0.2 is registered as that of BKT100003" in ran.failed["BKT200002"]
    assert [request.split()[1] for request in server.requests] == [b"/first/update_bucket", b"/first/extract_logs"]
    assert OTHERS_TOKEN.encode() not in b"".join(server.requests)
