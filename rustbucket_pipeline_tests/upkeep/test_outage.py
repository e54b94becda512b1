"""The database is down: told once without it, over once, and entered in the book when it is back."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, select

from rustbucket_pipeline.alerts.routes import Target
from rustbucket_pipeline.alerts.telling import tell
from rustbucket_pipeline.alerts.words import Message, Told
from rustbucket_pipeline.errors import TargetUnavailable
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.upkeep.outage import CALM, PATIENCE, Watch

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Watching:
    """A watch that looks each minute, at a database that is there or not, and what it told whom."""

    def __init__(self, database: Engine, nowhere: Engine, settings: Settings) -> None:
        self.database, self.nowhere, self.settings = database, nowhere, settings
        self.now, self.told, self.broken = NOW, list[tuple[str, str]](), False

    def send(self, target: Target, message: Message, told: Sequence[Told]) -> None:
        if self.broken:
            raise TargetUnavailable("not now")
        self.told += [(target.name.partition(" ")[0], one.state) for one in told]

    def look(self, minutes: int, *, down: bool) -> None:
        for _ in range(minutes):
            engine = self.nowhere if down else self.database
            Watch(engine, self.settings, self.send).look(self.now)  # a new one each time: nothing is kept in memory
            self.now += MINUTE

    def entered(self) -> list[tuple[datetime, datetime | None]]:
        with self.database.connect() as connection:
            rows = connection.execute(select(alerts.c.opened_at, alerts.c.closed_at))
            return [(row.opened_at, row.closed_at) for row in rows]


@pytest.fixture
def watching(database: Engine, changed: Callable[..., Settings]) -> Iterator[Watching]:
    nowhere = create_engine("postgresql+psycopg://nobody:hunter2@127.0.0.1:9/none?connect_timeout=1")
    settings = changed(RUSTBUCKET_NOTIFY_URLS="json://127.0.0.1/ poll_failed xml://127.0.0.1/ digest ntfy://x")
    settings.home.mkdir()
    yield Watching(database, nowhere, settings)
    nowhere.dispose()


def test_an_outage_is_told_once_and_over_once_and_entered_with_its_times(watching: Watching) -> None:
    watching.look(5, down=False)
    begins = watching.now
    watching.look(90, down=True)
    assert watching.told == [("json", "opened")]
    ends = watching.now
    watching.look(60, down=False)
    assert watching.told == [("json", "opened"), ("json", "closed")]
    assert watching.entered() == [(begins, ends)]
    assert tell(watching.database, watching.settings, watching.now, sender=watching.send).messages == 0
    assert not (watching.settings.home / "outage.json").exists()


def test_a_restart_is_no_outage(watching: Watching) -> None:
    watching.look(PATIENCE // MINUTE, down=True)
    watching.look(30, down=False)
    assert watching.told == []
    assert watching.entered() == []


def test_one_that_flaps_is_one_outage(watching: Watching) -> None:
    begins = watching.now
    for _ in range(6):
        watching.look(4, down=True)
        watching.look(CALM // MINUTE - 1, down=False)
    watching.look(20, down=False)
    assert watching.told == [("json", "opened"), ("json", "closed")]
    assert [opened for opened, _ in watching.entered()] == [begins]


def test_a_target_that_doesn_t_take_it_gets_it_later(watching: Watching) -> None:
    watching.broken = True
    watching.look(10, down=True)
    watching.broken = False
    watching.look(3, down=True)
    assert watching.told == [("json", "opened")]


def test_what_is_kept_of_it_shows_no_password_and_a_damaged_file_is_none(watching: Watching) -> None:
    watching.look(5, down=True)
    kept = watching.settings.home / "outage.json"
    assert "hunter2" not in kept.read_text(encoding="utf-8")
    kept.write_text("{", encoding="utf-8")
    watching.look(5, down=True)
    assert watching.told == [("json", "opened")] * 2
