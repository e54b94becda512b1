"""Commands as a person types them, run in this process: what they print, and their exit code."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rustbucket_pipeline.cli.main import main


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
