"""A simulated day of a small fleet whose visits overlap and cross hours, archived; and which visit wrote each row."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import Engine, insert, text

from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.opening import openers
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.demo.acts import Visit, microseconds, moment_of
from rustbucket_pipeline.demo.dialects import DIALECTS, Dialect
from rustbucket_pipeline.demo.dialects.emission import Pace
from rustbucket_pipeline.demo.playbook import visits_in
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbuckets

START = datetime(2026, 3, 2, tzinfo=UTC)
SEED = 11

LINE_OF_ROW = """
select log_events.event_id, log_events.rustbucket_id, source_files.key, log_events.byte_offset
from log_events
join segments on segments.id = log_events.segment_id
join source_files on source_files.id = segments.source_file_id
"""


@dataclass(frozen=True)
class SessionDay:
    """The day's hours, built; `visit_of` names the visit that wrote each event."""

    database: Engine
    archive: Archive
    hours: tuple[Window, ...]
    visit_of: dict[str, tuple[str, int]]

    def build(self, hours):
        """Build the hours in that order."""
        for hour in hours:
            build_hour(self.database, self.archive, hour, self.hours[-1].end + HOUR, None)

    def rows(self, query: str):
        """What a query finds."""
        with self.database.connect() as connection:
            return connection.execute(text(query)).mappings().all()


def played_day(root: Path, engine: Engine, settings: Settings, archive: Archive, *, hours: int) -> SessionDay:
    """A rustbucket of each dialect, `hours` long, pulled and built hour by hour."""
    windows = tuple(Window(START + index * HOUR, HOUR) for index in range(hours + 1))
    places: dict[tuple[str, str], dict[int, int]] = {}
    fleet = []
    for number, dialect in enumerate(DIALECTS.values(), 1):
        member = f"BKT{number}"
        for key, lines in _files(member, dialect, hours).items():
            path = root / member / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(data for _, data, _ in lines))
            places[member, key] = dict(_offsets(lines))
        fleet.append(_registered(engine, member, root))
    roads = openers(fleet, settings.model_copy(update={"source_roots": (root,)}), None, {}.get)
    pull = pull_fleet(PullContext(engine, archive, START, windows[-1].end + HOUR, "run-1"), roads, [])
    assert pull.failed == {}
    day = SessionDay(engine, archive, windows, {})
    day.build(windows)
    for row in day.rows(LINE_OF_ROW):
        visit = places[row["rustbucket_id"], row["key"]].get(row["byte_offset"])
        if visit is not None:
            day.visit_of[row["event_id"]] = (row["rustbucket_id"], visit)
    return day


def _files(member: str, dialect: Dialect, hours: int) -> dict[str, list[tuple[int, bytes, int]]]:
    """By name: the lines with their times and visits."""
    files = defaultdict(list)
    lines = sorted(_lines(member, dialect, hours), key=lambda line: line[0])
    for line in lines:
        files[f"box/{moment_of(line[0]).strftime(dialect.file_name)}"].append(line)
    return files


def _lines(member: str, dialect: Dialect, hours: int):
    number = 0
    for index in range(hours):
        start = START + index * HOUR
        for visit in visits_in(SEED, member, start, "window", has_ssh=dialect.has_ssh)[::3]:
            number += 1
            for emission in dialect.visit(_crowded(visit, start), Pace(_crowded(visit, start).at, Random(number))):
                yield emission.at, dialect.encode(emission), number


def _crowded(visit: Visit, start: datetime) -> Visit:
    """A third of an hour's visits come in the two minutes around its end; nobody forges."""
    begin = microseconds(start)
    late = timedelta(minutes=59) // timedelta(microseconds=1)
    return replace(visit, at=begin + late + (visit.at - begin) // 30, forgeries=())


def _offsets(lines):
    offset = 0
    for _, data, visit in lines:
        yield offset, visit
        offset += len(data)


def _registered(engine: Engine, member: str, root: Path) -> Rustbucket:
    with engine.begin() as connection:
        row = {"id": member, "name": member, "status": "active", "registered_at": START}
        connection.execute(insert(rustbuckets).values(row))
    return Rustbucket(
        id=member,
        name=member,
        status=Status.ACTIVE,
        base_url=None,
        logs_url=(root / member).as_uri(),
        http_allowed=False,
        plain_http=False,
        ip_address=None,
        registered_at=START,
        approved_at=START,
        retired_at=None,
        last_seen=None,
        last_log_at=None,
    )
