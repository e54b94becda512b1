"""Commands as a person types them, run in this process: what they print, and their exit code."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text

from rustbucket_pipeline.cli.main import main
from rustbucket_pipeline.control.history import prepare_history
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings


@dataclass(frozen=True)
class Ended:
    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode("utf-8")


Command = Callable[..., Ended]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], database_url: str, tmp_path: Path
) -> Command:
    """Runs `rustbucket …` on the test's database and home."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["rustbucket", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsysbinary.readouterr()
        return Ended(int(ended.value.code or 0), printed.out, printed.err.decode("utf-8"))

    return run


@pytest.fixture(scope="session")
def history(server: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with Dagster's tables, empty: copying it takes no time, making one takes seconds."""
    ours = server.engine.url.set(drivername="postgresql").render_as_string()
    url = prepare_history(Settings(RUSTBUCKET_HOME=tmp_path_factory.mktemp("home"), RUSTBUCKET_DATABASE_URL=ours))
    yield str(url.database)
    server.execute(text(f"DROP DATABASE {url.database} WITH (FORCE)"))


@pytest.fixture
def recorded(
    command: Command, monkeypatch: pytest.MonkeyPatch, server: Connection, database_url: str, history: str
) -> Command:
    """The command, on Dagster's history as the project keeps it."""
    own = f"{make_url(database_url).database}_dagster"
    server.execute(text(f"CREATE DATABASE {own} TEMPLATE {history} STRATEGY FILE_COPY"))
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    return command
