"""The login role rustbucket_reader: every view, no table, nothing that writes or lifts a limit."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

from rustbucket_pipeline.errors import ConfigurationError, UsageError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases, embedded, reader
from rustbucket_pipeline.storage.embedded_socket import url_of
from rustbucket_pipeline.storage.postgres import upgrade
from rustbucket_pipeline.storage.question import Limits, ask

REFUSED = {
    "a table": "SELECT * FROM log_events",
    "a day of the table": "SELECT * FROM log_events_2026_03_02",
    "the tokens": "SELECT token FROM rustbuckets",
    "another's password": "SELECT rolpassword FROM pg_authid",
    "a program": "COPY (SELECT 1) TO PROGRAM 'id'",
    "a file to read": "SELECT pg_read_file('/etc/passwd')",
    "a file to copy": "COPY events FROM '/etc/passwd'",
    "a directory": "SELECT pg_ls_dir('.')",
    "a large object": "SELECT lo_create(0)",
    "a file as a large object": "SELECT lo_import('/etc/passwd')",
    "another role": "SET ROLE postgres",
    "another role by function": "SELECT set_config('role', 'postgres', false)",
    "a limit lifted by function": "SELECT set_config('statement_timeout', '0', false)",
    "more disk": "SET temp_file_limit = -1",
    "a new table": "CREATE TABLE mine (a int)",
    "a temporary table": "CREATE TEMPORARY TABLE mine (a int)",
    "a function": "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a schema": "CREATE SCHEMA mine",
    "a row": "INSERT INTO fleet (rustbucket_id) VALUES ('BKT1')",
    "no rows": "DELETE FROM events",
    "a lock of the pipeline": "SELECT pg_advisory_lock(1)",
    "the log of changes": "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "another's connection": "SELECT pg_terminate_backend(1)",
    "a number drawn": "SELECT nextval('segments_id_seq')",
}


def with_reader(settings: Settings, url: str) -> Settings:
    database = settings.database_url.get_secret_value()
    return Settings(RUSTBUCKET_HOME=settings.home, RUSTBUCKET_DATABASE_URL=database, RUSTBUCKET_READER_URL=url)


def test_the_reader_reads_every_view_and_no_table(database: Engine, settings: Settings) -> None:
    found = text(
        "SELECT relname, relkind, has_table_privilege('rustbucket_reader', oid, 'SELECT') AS may, "
        "has_table_privilege('rustbucket_reader', oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS may_write "
        "FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'r', 'p')"
    )
    with database.connect() as connection:
        rows = connection.execute(found).all()
    assert {row.relname for row in rows if row.may} == {row.relname for row in rows if row.relkind == "v"}
    assert {"events", "quarantined", "fleet", "logs", "log_analysis", "rustbucket_hours"} <= {
        row.relname for row in rows if row.may
    }
    assert not any(row.may_write for row in rows)


def test_a_view_made_later_is_readable_after_the_next_upgrade(database: Engine, settings: Settings) -> None:
    with database.begin() as connection:
        connection.execute(text("CREATE VIEW later AS SELECT 1 AS one"))
        reader.prepare(connection)
    with reader.login(settings) as connection:
        assert connection.execute("SELECT one FROM later").fetchone() == (1,)


def test_it_logs_in_as_itself_with_its_limits_on(database: Engine, settings: Settings) -> None:
    with reader.login(settings) as connection:
        row = connection.execute(
            "SELECT session_user::text, current_setting('transaction_read_only'), "
            "current_setting('statement_timeout'), current_setting('temp_file_limit'), "
            "current_setting('work_mem'), rolconnlimit "
            "FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == ("rustbucket_reader", "on", "30s", "256MB", "16MB", 16)


@pytest.mark.parametrize("wanted", REFUSED)
def test_it_is_refused(database: Engine, settings: Settings, wanted: str) -> None:
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS log_events_2026_03_02 (LIKE log_events)"))
    refusals = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
    with reader.login(settings) as connection, pytest.raises(refusals):
        connection.execute(REFUSED[wanted])


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mine (a int)", "CREATE TEMP TABLE mine (a int)", "DELETE FROM events"]
)
def test_a_transaction_that_may_write_gives_it_nothing(database: Engine, settings: Settings, statement: str) -> None:
    with database.begin() as connection:
        reader.prepare(connection)  # a database's own rights aren't copied with the tests' template
    with reader.login(settings) as connection:
        connection.execute("BEGIN READ WRITE")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_preparing_it_again_changes_nothing(database: Engine) -> None:
    rights = text(
        "SELECT array_agg(relacl::text ORDER BY oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    )
    with database.begin() as connection:
        before = connection.execute(rights).scalar_one()
        reader.prepare(connection)
        assert connection.execute(rights).scalar_one() == before


@pytest.fixture
def humble(own_home: Path) -> Iterator[Callable[[str], Settings]]:
    """Makes a server elsewhere, where something was done before; our account owns a database and may make no role."""
    with embedded.shared(own_home / "elsewhere", durable=False) as pg:
        url = make_url(url_of(pg, "postgres")).set(drivername="postgresql")

        def prepared(before: str) -> Settings:
            with psycopg.connect(databases.dsn(url), autocommit=True) as connection:
                for statement in (before, "CREATE ROLE humble LOGIN", "CREATE DATABASE ours OWNER humble"):
                    connection.execute(statement.encode())
            ours = url.set(username="humble", database="ours").render_as_string()
            return Settings(RUSTBUCKET_HOME=own_home, RUSTBUCKET_DATABASE_URL=ours)

        yield prepared


def test_an_account_that_may_make_no_role_says_who_must(humble: Callable[[str], Settings]) -> None:
    settings = humble("SELECT 1")
    assert upgrade(settings).ready
    with pytest.raises(ConfigurationError, match="have an administrator run: CREATE ROLE rustbucket_reader LOGIN"):
        ask(settings, "SELECT 1", Limits())


def test_who_else_logs_in_keeps_the_functions_that_programs_call(own_home: Path) -> None:
    with embedded.shared(own_home / "elsewhere", durable=False) as pg:
        url = make_url(url_of(pg, "postgres")).set(drivername="postgresql")
        with psycopg.connect(databases.dsn(url), autocommit=True) as connection:
            connection.execute("CREATE ROLE backups LOGIN")
        assert upgrade(Settings(RUSTBUCKET_HOME=own_home, RUSTBUCKET_DATABASE_URL=url.render_as_string())).ready
        with psycopg.connect(databases.dsn(url.set(username="backups")), autocommit=True) as connection:
            connection.execute("SELECT pg_catalog.set_config('search_path', '', false)")


def test_once_the_role_is_made_by_others_it_reads_our_views_within_limits(humble: Callable[[str], Settings]) -> None:
    settings = humble("CREATE ROLE rustbucket_reader LOGIN")
    assert upgrade(settings).ready
    assert ask(settings, "SELECT count(*) FROM events", Limits()).rows == [(0,)]
    for question in ("SELECT * FROM log_events", "SELECT pg_read_file('/etc/passwd')"):
        with pytest.raises(UsageError, match="permission denied"):
            ask(settings, question, Limits())
    lifted = "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)"
    with pytest.raises(UsageError, match=r"it took over 0\.5 s"):
        ask(settings, lifted, Limits(seconds=0.5))


def test_a_login_that_may_do_more_is_not_taken_for_the_reader(database: Engine, settings: Settings) -> None:
    owner = settings.database_url.get_secret_value()
    with (
        pytest.raises(ConfigurationError, match="may do more than read views"),
        reader.login(with_reader(settings, owner)),
    ):
        pass


def test_a_login_that_fails_is_told_with_the_remedy_and_without_the_password(
    database: Engine, settings: Settings
) -> None:
    url = make_url(settings.database_url.get_secret_value())
    wrong = url.set(username="nobody_such", password="s3cret").render_as_string(hide_password=False)
    with pytest.raises(ConfigurationError) as error, reader.login(with_reader(settings, wrong)):
        pass
    assert "CREATE ROLE rustbucket_reader LOGIN" in str(error.value)
    assert "RUSTBUCKET_READER_URL" in str(error.value)
    assert "s3cret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_malformed_url_is_named_by_its_variable(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="RUSTBUCKET_READER_URL"):
        reader.address(with_reader(settings, "nonsense"))


def test_without_a_url_it_is_our_database_and_no_password(settings: Settings) -> None:
    url = reader.address(settings)
    assert (url.username, url.password) == (reader.ROLE, None)
    assert url.database == databases.address(settings).database
