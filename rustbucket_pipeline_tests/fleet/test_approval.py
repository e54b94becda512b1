"""Letting rustbuckets in: all of those named or none; HTTP only after a probe without a token was answered well."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from rustbucket_pipeline.alerts.book import raise_
from rustbucket_pipeline.errors import FetchFailed, NoSuchRustbucket, UsageError
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.approval import approve, approve_http, forbid_http
from rustbucket_pipeline.fleet.status import observe_fleet
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline_tests.fleet.conftest import NOW, Register
from rustbucket_pipeline_tests.net.loopback import VITALS, Behaviour, Peer, answer, closed_port, hang, loopback, raw


def _everyone(database: Engine) -> list[Rustbucket]:
    with database.connect() as connection:
        return registry.everyone(connection)


def test_a_contract_answer_to_a_probe_without_token_lets_it_in(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    with loopback(answer(VITALS)) as server:
        added = register("edge", active=False, base_url=server.url, token="canary-token-1234")
        with database.begin() as connection:
            raise_(connection, "decoy_answered", added.id, "before", "error", NOW)
        (approved,) = approve_http(database, fleet_settings, [added.id], NOW, plain_http=True)
    assert (approved.status, approved.http_allowed, approved.plain_http) == (Status.ACTIVE, True, True)
    assert b"uthorization" not in b"".join(server.requests)
    with database.connect() as connection:
        assert connection.execute(select(alerts.c.closed_by)).scalar_one() == "approved for HTTP"


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (answer(b"<html>", "text/html", "404 Not Found"), "decoy"),
        (answer(b'{"hello": 1}'), "invalid"),
        (answer(b'{"detail": "token?"}', status="401 No"), "http_error"),
        (hang, "timeout"),
    ],
)
def test_anything_else_is_refused_with_the_reason_and_changes_nothing(
    database: Engine, fleet_settings: Settings, register: Register, behaviour: Behaviour, outcome: str
) -> None:
    with loopback(behaviour) as server:
        added = register("edge", active=False, base_url=server.url)
        with pytest.raises(FetchFailed, match=rf"BKT100001 isn't approved for HTTP \({outcome}\).*logs_url"):
            approve_http(database, fleet_settings, [added.id], NOW, plain_http=True)
    assert _everyone(database) == [added]


def test_plain_http_must_be_marked(database: Engine, fleet_settings: Settings, register: Register) -> None:
    with loopback(answer(VITALS)) as server:
        added = register("edge", active=False, base_url=server.url)
        with pytest.raises(FetchFailed, match="--plain-http"):
            approve_http(database, fleet_settings, [added.id], NOW, plain_http=False)
    assert server.requests == []


def test_of_several_all_are_approved_or_none(database: Engine, fleet_settings: Settings, register: Register) -> None:
    def only_two(peer: Peer) -> None:
        answer(VITALS if b"/three/" not in peer.request else b"{}")(peer)

    with loopback(only_two) as server:
        ids = [register(n, active=False, base_url=f"{server.url}/{n}").id for n in ("one", "two", "three")]
        with pytest.raises(FetchFailed, match="BKT100003"):
            approve_http(database, fleet_settings, ids, NOW, plain_http=True)
        assert {one.status for one in _everyone(database)} == {Status.REVIEW}
        assert len(approve_http(database, fleet_settings, ids[:2], NOW, plain_http=True)) == 2


def test_one_without_a_base_url_cant_be_asked(database: Engine, fleet_settings: Settings, register: Register) -> None:
    with pytest.raises(FetchFailed, match="no usable base_url"):
        approve_http(database, fleet_settings, [register("edge").id], NOW, plain_http=False)


def test_approving_without_http_needs_a_place_of_logs(database: Engine, register: Register) -> None:
    asked = register("asked", active=False, base_url=f"http://127.0.0.1:{closed_port()}")
    pulled = register("pulled", active=False)
    with pytest.raises(UsageError, match="--http"):
        approve(database, [pulled.id, asked.id], NOW)
    with pytest.raises(NoSuchRustbucket):
        approve(database, [pulled.id, "BKT5"], NOW)
    assert {one.status for one in _everyone(database)} == {Status.REVIEW}
    assert approve(database, [pulled.id], NOW)[0].approved_at == NOW


def test_approving_again_ends_the_pause_of_one_that_failed(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    with loopback(raw(b"")) as server:
        added = register("edge", http=True, base_url=server.url)
        for n in range(4):
            observe_fleet(database, fleet_settings, NOW + timedelta(minutes=n))
        server.behaviour = answer(VITALS)
        assert observe_fleet(database, fleet_settings, NOW + timedelta(minutes=5)).counts == {"paused": 1}
        approve_http(database, fleet_settings, [added.id], NOW, plain_http=True)
        assert observe_fleet(database, fleet_settings, NOW + timedelta(minutes=6)).counts == {"ok": 1}


def test_http_can_be_forbidden_again(database: Engine, register: Register) -> None:
    added = register("edge", http=True, base_url="http://127.0.0.1:1")
    (forbidden,) = forbid_http(database, [added.id], NOW)
    assert (forbidden.status, forbidden.http_allowed, forbidden.plain_http) == (Status.ACTIVE, False, False)
