"""Operators' words are checked, kept as they are, and nobody takes what is another's."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from rustbucket_pipeline.alerts.book import raise_
from rustbucket_pipeline.errors import NoSuchRustbucket, UsageError
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Rules, read_entry
from rustbucket_pipeline.fleet.tokens import token_reader
from rustbucket_pipeline.model.rustbucket import Status
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.tables import rustbuckets
from rustbucket_pipeline_tests.fleet.conftest import NOW, Register


def test_a_rustbucket_is_registered_for_review_with_the_next_free_id(database: Engine, register: Register) -> None:
    first = register("edge-1", active=False, ip_address="8.8.4.4", os="Debian 13")
    second = register("edge-2", active=False, id="BKT100200")
    third = register("edge-3", active=False)
    assert [one.id for one in (first, second, third)] == ["BKT100001", "BKT100200", "BKT100201"]
    assert (first.status, first.name, first.logs_url) == (Status.REVIEW, "edge-1", "s3://logs/edge-1")
    assert (first.ip_address, first.os, first.http_allowed, first.registered_at) == ("8.8.4.4", "Debian 13", False, NOW)
    assert registry.active_rustbuckets(database) == []


def test_a_huge_id_doesnt_push_the_others_up(register: Register) -> None:
    register("edge-1", id="BKT999999999999999999")
    assert register("edge-2").id == "BKT100001"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("name", text)
            for text in ("../../etc/cron.d/x", "n" * 101, "smile 🙂", "nul\x00", "a\nb", " blank", "=1+1")
        ),
        *(("id", text) for text in ("BKT", "bkt1", "BKT1234567890123456789", "BKT１", "BKT1\n", "../BKT1")),
        *(("ip_address", text) for text in ("169.254.169.254", "1.2.3.4\n", "١.٢.٣.٤", "0xA9FEA9FE", "::ffff:1.2.3.4")),
        *(
            ("base_url", text)
            for text in ("http://169.254.169.254", "https://8.8.8.8:22", "http://u:p@8.8.8.8", "ftp://x")
        ),
        *(("logs_url", text) for text in ("file:///etc", "s3://b/../c", "/srv")),
        *(("token", text) for text in ("short", "has blanks inside", "x" * 501, "line\nbreak-token", "ümlaut-token")),
        *(("os", text) for text in ("\x1b[2J", "o" * 101)),
        ("status", "active"),
    ],
)
def test_a_bad_field_is_refused_with_its_name_and_nothing_that_acts(
    fleet_settings: Settings, field: str, value: str
) -> None:
    fields = {"name": "edge", "logs_url": "s3://logs/edge", field: value}
    entry, problems = read_entry(fields, Rules.of(fleet_settings))
    assert entry is None
    assert all(problem.isprintable() for problem in problems)
    assert field in problems[0] or value.removeprefix("http://") in problems[0] or "port 22" in problems[0]


def test_everything_wrong_with_an_entry_is_said_at_once(fleet_settings: Settings) -> None:
    _, problems = read_entry({"id": "x", "ip_address": "y", "colour": "red"}, Rules.of(fleet_settings))
    assert len(problems) == 5


def test_a_token_is_kept_encrypted_and_never_shown(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    added = register("edge", token="canary-token-1234")
    with database.connect() as connection:
        kept = connection.execute(select(rustbuckets.c.token)).scalar_one()
    assert b"canary" not in kept
    assert "canary" not in repr(added)
    assert token_reader(database, fleet_settings)(added.id) == "canary-token-1234"
    assert token_reader(database, fleet_settings)(register("other").id) is None
    entry, _ = read_entry(
        {"name": "e", "logs_url": "s3://logs/e", "token": "canary-token-1234"}, Rules.of(fleet_settings)
    )
    assert "canary" not in repr(entry)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "BKT100001"},
        {"logs_url": "s3://logs/edge"},
        {"logs_url": "s3://logs"},
        {"logs_url": "s3://logs/edge/below"},
        {"base_url": "https://8.8.8.8"},
        {"base_url": "https://8.8.8.8:443/"},
        {"ip_address": "8.8.8.8"},
    ],
)
def test_nobody_takes_what_is_anothers(register: Register, fields: dict[str, str]) -> None:
    register("edge", logs_url="s3://logs/edge", base_url="https://8.8.8.8", ip_address="8.8.8.8")
    with pytest.raises(UsageError, match="BKT100001"):
        register("other", **{"logs_url": "s3://elsewhere", **fields})


def test_nobody_is_asked_at_an_address_that_is_anothers(register: Register) -> None:
    register("owner", ip_address="8.8.4.4")
    with pytest.raises(UsageError, match="leads to the address of BKT100001"):
        register("thief", base_url="https://8.8.4.4:8443/other")
    register("gateway", base_url="https://1.1.1.1/one")
    with pytest.raises(UsageError, match="is where BKT100002 is asked"):
        register("thief", ip_address="1.1.1.1")
    register("beside", base_url="https://1.1.1.1/two")


def test_a_retired_rustbuckets_address_is_free_again_and_its_logs_are_not(database: Engine, register: Register) -> None:
    old = register("edge", ip_address="8.8.8.8")
    with database.begin() as connection:
        registry.retire(connection, old.id, NOW)
    assert register("new", ip_address="8.8.8.8").id == "BKT100002"
    with pytest.raises(UsageError, match="overlaps"):
        register("newer", logs_url=str(old.logs_url))


def test_approving_and_retiring_note_when(database: Engine, register: Register) -> None:
    added, later = register("edge", active=False), NOW + timedelta(days=1)
    with database.begin() as connection:
        approved = registry.approve(connection, added.id, NOW)
        again = registry.approve(connection, added.id, later)
        retired = registry.retire(connection, added.id, later)
        back = registry.approve(connection, added.id, later)
    assert (approved.status, approved.approved_at, again) == (Status.ACTIVE, NOW, approved)
    assert (retired.status, retired.retired_at, retired.approved_at) == (Status.INACTIVE, later, NOW)
    assert (back.status, back.approved_at, back.retired_at) == (Status.ACTIVE, later, None)


def test_retiring_closes_its_alerts_and_forbids_http(database: Engine, register: Register) -> None:
    added = register("edge", http=True, base_url="http://127.0.0.1:1")
    with database.begin() as connection:
        raise_(connection, "poll_failed", added.id, "hung", "warning", NOW)
        raise_(connection, "odd_files", added.id, "odd", "warning", NOW)
        raise_(connection, "silent_sensor", "BKT9", "nothing", "warning", NOW)
        assert registry.retire(connection, added.id, NOW).http_allowed is False
        still_open = connection.execute(select(alerts.c.subject).where(alerts.c.closed_at.is_(None))).scalars().all()
    assert still_open == ["BKT9"]


@pytest.mark.parametrize("rustbucket_id", ["BKT1", "nonsense", "", "BKT1'; DROP TABLE rustbuckets; --", "\x00"])
def test_an_id_that_isnt_registered_is_named(database: Engine, rustbucket_id: str) -> None:
    with database.connect() as connection, pytest.raises(NoSuchRustbucket, match="fleet list"):
        registry.get(connection, rustbucket_id)


def test_a_directory_below_a_root_can_be_registered(register: Register, sources: Path) -> None:
    (sources / "BKT1").mkdir()
    assert register("edge", logs_url=f"file://{sources}/BKT1/").logs_url == (sources / "BKT1").as_uri()
