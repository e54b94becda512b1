"""One row for each active rustbucket whatever happens; who is alive, who is silent, and what operators hear of it."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import Engine, Row, select, update

from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.importing import import_file
from rustbucket_pipeline.fleet.status import FleetOutcome, observe_fleet
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.tables import rustbucket_status, rustbuckets
from rustbucket_pipeline_tests.fleet.conftest import NOW, Register
from rustbucket_pipeline_tests.net.loopback import (
    VITALS,
    Behaviour,
    Peer,
    answer,
    closed_port,
    drip,
    endless,
    hang,
    loopback,
    raw,
)

QUARTER = timedelta(minutes=15)


def _statuses(database: Engine) -> Sequence[Row[tuple[object, ...]]]:
    with database.connect() as connection:
        order = (rustbucket_status.c.observed_at, rustbucket_status.c.rustbucket_id)
        return connection.execute(select(rustbucket_status).order_by(*order)).all()


def _open_alerts(database: Engine) -> list[tuple[str, str]]:
    with database.connect() as connection:
        rows = connection.execute(select(alerts).where(alerts.c.closed_at.is_(None)).order_by(alerts.c.kind))
        return [(row.kind, row.subject) for row in rows]


def _get(database: Engine, rustbucket_id: str) -> Rustbucket:
    with database.connect() as connection:
        return registry.get(connection, rustbucket_id)


def _observe_one(
    database: Engine, settings: Settings, register: Register, behaviour: Behaviour, now: datetime = NOW
) -> FleetOutcome:
    with loopback(behaviour) as server:
        register("edge", http=True, base_url=server.url, token="canary-token-1234")
        return observe_fleet(database, settings, now)


@pytest.mark.parametrize("body", [VITALS, b'{"updates": [{"cpu": 1}, ' + VITALS + b"]}"], ids=["flat", "updates"])
def test_a_contract_answer_is_kept(database: Engine, fleet_settings: Settings, register: Register, body: bytes) -> None:
    outcome = _observe_one(database, fleet_settings, register, answer(body))
    (row,) = _statuses(database)
    assert (row.outcome, row.cpu, row.memory, row.disk, row.uptime_seconds, row.connections) == (
        "ok", 12.0, 34.5, 56.0, 93_600, 7,
    )  # fmt: skip
    assert (row.rustbucket_id, row.observed_at, row.detail) == ("BKT100001", NOW, None)
    assert 0 <= row.latency_ms < 10_000
    assert (outcome.rows, outcome.counts, outcome.details) == (1, {"ok": 1}, {})
    assert outcome.slowest == ("BKT100001", row.latency_ms)
    assert _get(database, "BKT100001").last_seen == NOW
    assert _open_alerts(database) == []


def test_the_token_is_sent_as_the_registry_did(database: Engine, fleet_settings: Settings, register: Register) -> None:
    with loopback(answer(VITALS)) as server:
        register("edge", http=True, base_url=f"{server.url}/BKT1", token="canary-token-1234")
        observe_fleet(database, fleet_settings, NOW)
    assert server.requests[0].startswith(b"GET /BKT1/update_bucket HTTP/1.1\r\n")
    assert b"Authorization: Token canary-token-1234\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("behaviour", "outcome", "alert", "still_asked"),
    [
        (hang, "timeout", "poll_failed", True),
        (drip, "timeout", "poll_failed", True),
        (endless, "invalid", "contract_broken", False),
        (raw(b""), "unreachable", "poll_failed", True),
        (raw(b"uid=0(root) gid=0(root)\n"), "decoy", "decoy_answered", False),
        (answer(b"<html>It works!</html>", "text/html"), "decoy", "decoy_answered", False),
        (answer(b"<html>Not Found</html>", "text/html", "404 Not Found"), "decoy", "decoy_answered", False),
        (answer(b"", status="302 -", headers="Location: /login\r\n"), "decoy", "decoy_answered", False),
        (answer(b"", status="302 -", headers="Location: http://10.0.0.1\r\n"), "http_error", "poll_failed", True),
        (answer(VITALS, status="503 Busy", headers="Retry-After: 99999999\r\n"), "http_error", "poll_failed", True),
        (answer(VITALS, "application/octet-stream"), "invalid", "contract_broken", False),
        (answer(b'{"status": "ok"}'), "invalid", "contract_broken", False),
    ],
)  # fmt: skip
def test_whatever_else_it_answers_is_named_and_alerts(
    database: Engine,
    fleet_settings: Settings,
    register: Register,
    behaviour: Behaviour,
    outcome: str,
    alert: str,
    *,
    still_asked: bool,
) -> None:
    found = _observe_one(database, fleet_settings, register, behaviour)
    (row,) = _statuses(database)
    assert (row.outcome, row.cpu, found.counts) == (outcome, None, {outcome: 1})
    assert row.detail
    assert found.details["BKT100001"] == row.detail
    assert _open_alerts(database) == [(alert, "BKT100001")]
    assert (_get(database, "BKT100001").last_seen, _get(database, "BKT100001").http_allowed) == (None, still_asked)


def test_a_machine_that_refuses_is_named(database: Engine, fleet_settings: Settings, register: Register) -> None:
    register("edge", http=True, base_url=f"http://127.0.0.1:{closed_port()}")
    assert observe_fleet(database, fleet_settings, NOW).counts == {"refused": 1}


def test_an_address_no_longer_allowed_isnt_contacted(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    with loopback(answer(VITALS)) as server:
        register("edge", http=True, base_url=server.url, token="canary-token-1234")
        strict = fleet_settings.model_copy(update={"allowed_networks": ()})
        assert observe_fleet(database, strict, NOW).counts == {"blocked": 1}
    assert server.requests == []


def test_plain_http_isnt_contacted_unless_marked(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    with loopback(answer(VITALS)) as server:
        added = register("edge", http=True, base_url=server.url, token="canary-token-1234")
        with database.begin() as connection:
            registry.set_http(connection, added.id, allowed=True, plain=False)
        assert observe_fleet(database, fleet_settings, NOW).counts == {"blocked": 1}
    assert server.requests == []


def test_an_answer_never_changes_the_registry(database: Engine, fleet_settings: Settings, register: Register) -> None:
    evil = {
        "cpu": 1,
        "name": "evil",
        "ip_address": "6.6.6.6",
        "s3_bucket_name": "theirs",
        "token": "theirs",
        "id": "BKT9",
    }
    with loopback(answer(json.dumps(evil).encode())) as server:
        before = register("edge", http=True, base_url=server.url, token="canary-token-1234")
        observe_fleet(database, fleet_settings, NOW)
    after = _get(database, before.id)
    assert {**asdict(after), "last_seen": None} == asdict(before)


def test_alerts_open_once_and_close_when_it_answers_again(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    with loopback(hang) as server:
        register("edge", http=True, base_url=server.url)
        for n in range(3):
            observe_fleet(database, fleet_settings, NOW + n * QUARTER)
        with database.connect() as connection:
            assert connection.execute(select(alerts.c.count)).scalars().all() == [3]
        server.behaviour = answer(VITALS)
        observe_fleet(database, fleet_settings, NOW + 3 * QUARTER)
    assert _open_alerts(database) == []
    assert [row.outcome for row in _statuses(database)] == ["timeout"] * 3 + ["ok"]


def test_what_fails_again_and_again_is_paused_and_asked_again_later(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    with loopback(raw(b"")) as server:
        register("edge", http=True, base_url=server.url)
        counts = [observe_fleet(database, fleet_settings, NOW + n * QUARTER).counts for n in range(7)]
        asked = len(server.requests)
        server.behaviour = answer(VITALS)
        counts += [observe_fleet(database, fleet_settings, NOW + n * QUARTER).counts for n in (8, 9, 10)]
    failed, paused, well = {"unreachable": 1}, {"paused": 1}, {"ok": 1}
    assert counts == [failed, failed, failed, failed, paused, failed, paused, paused, well, well]
    assert asked == 5
    assert "asked again from" in _statuses(database)[4].detail
    with database.connect() as connection:
        (alert,) = connection.execute(select(alerts)).all()
    assert (alert.kind, alert.severity, alert.count, alert.closed_by) == ("poll_failed", "error", 5, "observed: ok")
    assert "failed 5 times in a row" in alert.cause


def test_two_hundred_of_which_many_hang_end_within_one_deadline(
    database: Engine, fleet_settings: Settings, tmp_path: Path
) -> None:
    behaviours = cycle([answer(VITALS), hang, answer(VITALS), drip, answer(b"<html>", "text/html"), raw(b"")])
    each = [next(behaviours) for _ in range(200)]

    def behave(peer: Peer) -> None:
        each[int(peer.request.split(b"/")[1])](peer)

    with loopback(behave) as server:
        lines = "".join(f"edge-{n},{server.url}/{n}\n" for n in range(200))
        (tmp_path / "fleet.csv").write_text(f"name,base_url\n{lines}", encoding="utf-8")
        imported = import_file(database, fleet_settings, tmp_path / "fleet.csv", NOW)
        with database.begin() as connection:
            for added in imported.added:
                registry.approve(connection, added, NOW)
                registry.set_http(connection, added, allowed=True, plain=True)
        begun = time.monotonic()
        outcome = observe_fleet(database, fleet_settings.model_copy(update={"poll_deadline_seconds": 2.0}), NOW)
        seconds = time.monotonic() - begun
    assert seconds < 6
    assert outcome.rows == 200
    assert outcome.counts == {"ok": 67, "timeout": 67, "decoy": 33, "unreachable": 33}
    assert len(outcome.details) == 20
    assert len(_statuses(database)) == 200


def test_only_active_rustbuckets_are_observed(database: Engine, fleet_settings: Settings, register: Register) -> None:
    register("waiting", active=False)
    gone = register("gone")
    with database.begin() as connection:
        registry.retire(connection, gone.id, NOW)
    assert observe_fleet(database, fleet_settings, NOW).rows == 0


def test_an_empty_fleet_is_no_error(database: Engine, fleet_settings: Settings) -> None:
    assert observe_fleet(database, fleet_settings, NOW).counts == {}


def test_a_key_that_is_lost_costs_only_its_own_rustbucket(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    with loopback(answer(VITALS)) as server:
        register("lost", http=True, base_url=f"{server.url}/1", token="canary-token-1234")
        register("well", http=True, base_url=f"{server.url}/2")
        with database.begin() as connection:
            connection.execute(
                update(rustbuckets).where(rustbuckets.c.name == "lost").values(token=b"not what we encrypted")
            )
        assert observe_fleet(database, fleet_settings, NOW).counts == {"blocked": 1, "ok": 1}


def test_two_observations_at_one_moment_keep_one_row(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    register("edge")
    assert [observe_fleet(database, fleet_settings, NOW).rows for _ in range(2)] == [1, 1]
    assert len(_statuses(database)) == 1
