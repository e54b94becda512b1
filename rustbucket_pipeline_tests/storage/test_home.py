"""The home: made once, private, the same for everybody who comes at the same moment."""

import stat
import threading
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import prepare_home, write_once

NOW = datetime(2026, 3, 2, 15, 4, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "home"


def test_a_home_is_closed_to_everybody_else(home: Path) -> None:
    assert prepare_home(Settings(RUSTBUCKET_HOME=home), NOW) == home
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "settings.toml").stat().st_mode) == 0o600


def test_the_first_window_is_noted_once_and_for_good(home: Path) -> None:
    settings = Settings(RUSTBUCKET_HOME=home)
    for later in range(3):
        prepare_home(settings, NOW + timedelta(days=later))
    kept = tomllib.loads((home / "settings.toml").read_text(encoding="utf-8"))
    assert datetime.fromisoformat(kept["since"]) == datetime(2026, 1, 31, tzinfo=UTC)


def test_of_many_writers_at_once_one_wins_and_nothing_is_left_over(home: Path) -> None:
    home.mkdir(parents=True)
    won: list[bool] = []
    writers = [
        threading.Thread(target=lambda text=f"writer {n}": won.append(write_once(home / "file", text)))
        for n in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(won) == [False] * 7 + [True]
    assert [path.name for path in home.iterdir()] == ["file"]


def test_a_home_that_cannot_be_made_is_one_line_that_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="set RUSTBUCKET_HOME") as error:
        prepare_home(Settings(RUSTBUCKET_HOME=tmp_path / "file" / "home"), NOW)
    assert "\n" not in str(error.value)
