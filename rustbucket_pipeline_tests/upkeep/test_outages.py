"""Two weeks of scripted outages: of every cause people hear once that it began and once that it is over, no more."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.upkeep.outage_script import START, Cause, causes_of, drawn
from rustbucket_pipeline_tests.upkeep.simulated import Heard, Simulation

SOON = timedelta(hours=8)
"""Within how long of its beginning a cause is told at the latest, and of its end that it is over: the longest deadline
of logs, a quiet quarter of an hour, and the hour until it is believed."""

SEEDS = [pytest.param(seed, marks=[] if seed < 2 else pytest.mark.long) for seed in range(20)]


@pytest.fixture
def simulated(
    database: Engine, changed: Callable[..., Settings], archive: Archive
) -> Callable[[int], tuple[list[Heard], list[Cause]]]:
    def run(seed: int) -> tuple[list[Heard], list[Cause]]:
        script = drawn(seed)
        looked_at = "rustbuckets,logs,archive"
        settings = changed(
            RUSTBUCKET_NOTIFY_URLS="info json://127.0.0.1/",
            RUSTBUCKET_NOTIFY_DIGEST_HOUR="",
            HEALTH_CHECK_COMPONENTS=looked_at,
        )
        with database.begin() as connection:
            for day in range(-1, 16):
                first = START + timedelta(days=day)
                connection.execute(text(
                    f"CREATE TABLE events_{day + 1} PARTITION OF log_events "
                    f"FOR VALUES FROM ('{first}') TO ('{first + timedelta(days=1)}')"
                ))  # fmt: skip
        return Simulation(database, settings, archive, script, seed).run(), causes_of(script)

    return run


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cause_is_told_once_and_over_once_and_nothing_else_is(
    seed: int,
    simulated: Callable[[int], tuple[list[Heard], list[Cause]]],
    database: Engine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    heard, causes = simulated(seed)
    left = [one for one in heard if one.state in {"opened", "closed"}]
    missed: list[str] = []
    for cause in causes:
        for state, since in (("opened", cause.begins), ("closed", cause.ends)):
            until = max(since, cause.ends if state == "closed" or cause.kind == "late_data" else cause.begins) + SOON
            mine = [one for one in left if (one.state, one.kind, one.subject) == (state, cause.kind, cause.subject)]
            told = next((one for one in mine if since <= one.at <= until), None)
            if told is None:
                missed.append(f"{state} {cause}")
            else:
                left.remove(told)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(one.kind for one in causes).items()))
    with capsys.disabled():
        print(f"\nseed {seed}: {len(causes)} causes ({counts}); missed {len(missed)}, false {len(left)}")  # noqa: T201
    assert missed == []
    assert left == []
    with database.connect() as connection:
        assert connection.execute(select(alerts.c.kind).where(alerts.c.closed_at.is_(None))).all() == []
