"""Every configured service is tried for real: an S3 server, a Models API, receivers of alerts, database logins."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine, insert, select, text

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbuckets
from rustbucket_pipeline.upkeep.integrations import INTEGRATIONS_CHECK
from rustbucket_pipeline.upkeep.task import Bench, Told
from rustbucket_pipeline_tests.alerts.receivers import service
from rustbucket_pipeline_tests.upkeep.dagster_told import DagsterTold

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = "sk-ant-canary-1234"

Run = Callable[..., Told]


@pytest.fixture
def run(database: Engine, changed: Callable[..., Settings], archive: Archive) -> Run:
    def do(now: datetime = NOW, **variables: object) -> Told:
        return INTEGRATIONS_CHECK.run(Bench(changed(**variables), database, archive, DagsterTold(), now))

    return do


def open_kinds(database: Engine) -> list[tuple[str, str]]:
    with database.connect() as connection:
        rows = connection.execute(select(alerts.c.kind, alerts.c.subject).where(alerts.c.closed_at.is_(None)))
        return sorted((row.kind, row.subject) for row in rows)


def register(database: Engine, of: str, place: str) -> None:
    with database.begin() as connection:
        row = {"id": of, "name": of, "status": "active", "registered_at": NOW, "approved_at": NOW, "logs_url": place}
        connection.execute(insert(rustbuckets).values(row))


@contextmanager
def models(known: dict[str, tuple[str, datetime | None]], key: str = KEY) -> Iterator[str]:
    """A Models API that knows these: lifecycle, and when each retires."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            status = 401 if key not in str(self.headers) else 200 if name in known else 404
            lifecycle, retires = known.get(name, ("", None))
            body = {"id": name, "type": "model", "display_name": name, "created_at": NOW.isoformat()}
            body |= {"lifecycle": lifecycle, "retires_at": retires.isoformat() if retires else None}
            error = {"type": "error", "error": {"type": "not_found_error", "message": "no"}}
            sent = json.dumps(body if status == 200 else error).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_without_any_service_there_is_nothing_to_try(run: Run, database: Engine) -> None:
    assert run().summary == "no outside service is configured"
    assert open_kinds(database) == []


def test_claude_s_key_is_tried_and_a_model_that_retires_soon_or_is_gone_is_named(run: Run, database: Engine) -> None:
    known = {"one": ("active", None), "two": ("deprecated", NOW + 20 * DAY), "far": ("deprecated", NOW + 90 * DAY)}
    with models(known) as url:
        set_up = {"ANTHROPIC_API_KEY": KEY, "CLAUDE_BASE_URL": url, "CLAUDE_MODELS": "one,two,far,gone"}
        told = run(**set_up)
        assert "ok: claude: the key is taken; one, two, far are offered" in told.lines
        assert "warning: two: it retires on 2026-03-22" in told.lines
        assert open_kinds(database) == [("expires_soon", "gone"), ("expires_soon", "two")]
        run(**set_up | {"CLAUDE_MODELS": "one"})
        assert open_kinds(database) == []


@pytest.mark.parametrize(("key", "known"), [("sk-ant-wrong", {"one": ("active", None)}), (KEY, {})])
def test_a_key_that_isn_t_taken_and_models_that_are_all_gone_are_an_alert_without_the_key(
    run: Run, database: Engine, key: str, known: dict[str, tuple[str, datetime | None]]
) -> None:
    with models(known) as url:
        told = run(ANTHROPIC_API_KEY=key, CLAUDE_BASE_URL=url, CLAUDE_MODELS="one")
    assert open_kinds(database) == [("claude_unusable", "claude")]
    assert key not in str(told)
    run()
    assert open_kinds(database) == []


def test_claude_that_can_t_be_reached_is_told_as_that(run: Run) -> None:
    told = run(ANTHROPIC_API_KEY=KEY, CLAUDE_BASE_URL="http://127.0.0.1:9", CLAUDE_MODELS="one")
    assert told.lines == ("error: claude: it can't be reached (APIConnectionError)",)


def test_targets_are_tried_without_a_message_and_without_their_secrets(run: Run, database: Engine) -> None:
    with service() as chat, service() as sentry:
        told = run(RUSTBUCKET_NOTIFY_URLS=chat.url, SENTRY_DSN=sentry.dsn)
        assert (told.figures["tried"], told.figures["wrong"]) == (2, 0)
        assert chat.got == sentry.got == []
    told = run(RUSTBUCKET_NOTIFY_URLS=chat.url, SENTRY_DSN="nonsense")
    assert [kind for kind, _ in open_kinds(database)] == ["integration_failed"] * 2
    assert "hunter2" not in str(told)
    run()
    assert open_kinds(database) == []


def test_each_bucket_is_asked_for_one_key_and_what_lies_beside_without_a_rustbucket_is_named(
    run: Run, database: Engine, s3_server: str
) -> None:
    from boto3.session import Session

    client = Session().client("s3", endpoint_url=s3_server)
    client.create_bucket(Bucket="integrations")
    for key in ("fleet/one/a.log", "fleet/two/a.log", "fleet/other/a.log"):
        client.put_object(Bucket="integrations", Key=key, Body=b"x")
    register(database, "BKT1", "s3://integrations/fleet/one")
    register(database, "BKT2", "s3://integrations/fleet/two")
    register(database, "BKT3", "s3://no-such-bucket-here/x")
    told = run(RUSTBUCKET_S3_ENDPOINT=s3_server)
    assert "ok: s3://integrations: it can be listed" in told.lines
    assert open_kinds(database) == [
        ("integration_failed", "s3://no-such-bucket-here"),
        ("registry_mismatch", "s3://integrations/fleet/other"),
    ]
    register(database, "BKT4", "s3://integrations/fleet/other")
    run(RUSTBUCKET_S3_ENDPOINT=s3_server)
    assert [kind for kind, _ in open_kinds(database)] == ["integration_failed"]


def test_a_directory_beside_the_registered_ones_is_named_once_for_all_when_there_are_many(
    run: Run, database: Engine, tmp_path: Path
) -> None:
    for name in ("one", *(f"other{number}" for number in range(25))):
        (tmp_path / "sources" / name).mkdir(parents=True)
    register(database, "BKT1", (tmp_path / "sources" / "one").as_uri())
    run(RUSTBUCKET_SOURCE_ROOTS=str(tmp_path / "sources"))
    kinds = open_kinds(database)
    assert len(kinds) == 21
    assert ("registry_mismatch", "places") in kinds


def test_a_password_of_the_database_that_expires_soon_is_named(run: Run, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text(f"ALTER ROLE rustbucket_reader VALID UNTIL '{NOW + 10 * DAY}'"))
    try:
        run()
        assert open_kinds(database) == [("expires_soon", "login rustbucket_reader")]
        run(now=NOW - 60 * DAY)
        assert open_kinds(database) == []
    finally:
        with database.begin() as connection:
            connection.execute(text("ALTER ROLE rustbucket_reader VALID UNTIL 'infinity'"))


def test_a_dry_run_tries_and_opens_nothing(
    database: Engine, changed: Callable[..., Settings], archive: Archive
) -> None:
    bench = Bench(changed(SENTRY_DSN="nonsense"), database, archive, DagsterTold(), NOW)
    assert INTEGRATIONS_CHECK.dry_run(bench).figures["wrong"] == 1
    assert open_kinds(database) == []
