"""The simulated rustbuckets' HTTP endpoints keep the registry's contract."""

from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from rustbucket_pipeline.demo.cast import SimulatedRustbucket
from rustbucket_pipeline.demo.serve import serve_fleet
from rustbucket_pipeline.demo.simulate import Simulation
from rustbucket_pipeline_tests.demo.played import played


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return played(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def member(fleet: Simulation) -> SimulatedRustbucket:
    return next(member for member in fleet.rustbuckets if member.road == "http")


@pytest.fixture(scope="module")
def log(fleet: Simulation, member: SimulatedRustbucket) -> bytes:
    return (fleet.folder_of(member) / "extract_logs").read_bytes()


@pytest.fixture
def client(fleet: Simulation) -> Iterator[httpx.Client]:
    with serve_fleet(fleet) as origin, httpx.Client(base_url=origin, trust_env=False) as client:
        yield client


def token(member: SimulatedRustbucket) -> dict[str, str]:
    return {"Authorization": f"Token {member.token}"}


def test_the_log_is_served_whole_to_who_has_the_token(
    client: httpx.Client, member: SimulatedRustbucket, log: bytes
) -> None:
    answer = client.get(f"/{member.id}/extract_logs", headers=token(member))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.content == log


@pytest.mark.parametrize("given", [{}, {"Authorization": "Token wrong"}])
def test_the_log_is_kept_from_who_has_not(
    client: httpx.Client, member: SimulatedRustbucket, given: dict[str, str]
) -> None:
    assert client.get(f"/{member.id}/extract_logs", headers=given).status_code == 401


def test_a_part_of_the_log_can_be_asked_for(client: httpx.Client, member: SimulatedRustbucket, log: bytes) -> None:
    answer = client.get(f"/{member.id}/extract_logs", headers={**token(member), "Range": f"bytes={len(log) - 7}-"})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {len(log) - 7}-{len(log) - 1}/{len(log)}"
    assert answer.content == log[-7:]


def test_a_part_behind_the_end_does_not_exist(client: httpx.Client, member: SimulatedRustbucket, log: bytes) -> None:
    answer = client.get(f"/{member.id}/extract_logs", headers={**token(member), "Range": f"bytes={len(log)}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(log)}"


def test_an_unchanged_log_is_not_sent_again(client: httpx.Client, member: SimulatedRustbucket) -> None:
    etag = client.get(f"/{member.id}/extract_logs", headers=token(member)).headers["etag"]
    again = client.get(f"/{member.id}/extract_logs", headers={**token(member), "If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_part_of_a_log_that_changed_is_answered_with_the_whole(
    client: httpx.Client, member: SimulatedRustbucket, log: bytes
) -> None:
    asked = {**token(member), "Range": "bytes=10-", "If-Range": '"another"'}
    answer = client.get(f"/{member.id}/extract_logs", headers=asked)
    assert (answer.status_code, answer.content) == (200, log)


def test_the_status_is_told_without_a_token_in_both_forms(client: httpx.Client, fleet: Simulation) -> None:
    forms = set[str]()
    for member in fleet.rustbuckets:
        if member.road == "http":
            answer = client.get(f"/{member.id}/update_bucket")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            told = answer.json()
            forms.add("wrapped" if "updates" in told else "flat")
            vitals = told.get("updates", [told])[-1]
            assert vitals.keys() >= {"cpu_usage", "memory_usage", "disk_space", "uptime", "connections", "version"}
    assert forms == {"flat", "wrapped"}


def test_a_wrong_token_is_refused_everywhere(client: httpx.Client, member: SimulatedRustbucket) -> None:
    answer = client.get(f"/{member.id}/update_bucket", headers={"Authorization": "Token wrong"})
    assert answer.status_code == 401


def test_there_is_nothing_else(client: httpx.Client, fleet: Simulation) -> None:
    by_files = next(member.id for member in fleet.rustbuckets if member.road == "files")
    for path in ("/", f"/{by_files}/update_bucket", "/BKT100002/etc/passwd", "/BKT100002/../BKT100002"):
        assert client.get(path).status_code == 404


def test_only_the_past_before_a_moment_can_be_served(
    fleet: Simulation, member: SimulatedRustbucket, log: bytes
) -> None:
    with serve_fleet(fleet, until=fleet.start) as origin:
        answer = httpx.get(f"{origin}/{member.id}/extract_logs", headers=token(member), trust_env=False)
    assert 0 < len(answer.content) < len(log)
    assert log.startswith(answer.content)
    assert answer.content.endswith(b"\n")


def test_a_log_that_grows_is_served_as_it_is_now(tmp_path: Path) -> None:
    fleet = played(tmp_path, rustbuckets=2)
    member = fleet.rustbuckets[1]
    path = fleet.folder_of(member) / "extract_logs"
    with serve_fleet(fleet) as origin:
        with path.open("ab") as file:
            file.write(b'{"new":1}\n{"half":')
        answer = httpx.get(f"{origin}/{member.id}/extract_logs", headers=token(member), trust_env=False)
    assert answer.content.endswith(b'{"new":1}\n'), "a line that isn't written to its end waits"
