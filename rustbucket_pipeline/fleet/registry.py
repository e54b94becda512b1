"""The registry: every rustbucket an operator added, and what operators decided about it. Only this file writes it,
apart from the times that observations and pulls note down.

No answer or log of a rustbucket changes its name, addresses, place of logs or token.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update

from rustbucket_pipeline.alerts.book import clear_all
from rustbucket_pipeline.errors import NoSuchRustbucket, UsageError
from rustbucket_pipeline.fleet.clashes import clashes
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.rustbucket import ID_PATTERN, Rustbucket, Status
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.canary import CANARY
from rustbucket_pipeline.storage.postgres import advisory_lock
from rustbucket_pipeline.storage.secrets import encrypt
from rustbucket_pipeline.storage.tables import rustbuckets

FIRST_ID = 100_001
"""The number the registry this one replaces began with."""
HUGE = 10**9

_COLUMNS = [column for column in rustbuckets.c if column.name != "token"]


def lock(connection: Connection) -> None:
    """Let nobody else add rustbuckets until this transaction ends."""
    advisory_lock(connection, "registry")


def everyone(connection: Connection) -> list[Rustbucket]:
    """Every rustbucket, by number; the canary is none."""
    by_number = select(*_COLUMNS).order_by(func.length(rustbuckets.c.id), rustbuckets.c.id)
    rows = connection.execute(by_number.where(rustbuckets.c.id != CANARY))
    return [_rustbucket(row) for row in rows.mappings()]


def active_rustbuckets(engine: Engine) -> list[Rustbucket]:
    """Those that are asked and pulled, by number."""
    with engine.connect() as connection:
        return [rustbucket for rustbucket in everyone(connection) if rustbucket.status == Status.ACTIVE]


def pulled_rustbuckets(engine: Engine) -> list[Rustbucket]:
    """Those whose logs are pulled: the active ones, and the canary where there is one."""
    with engine.connect() as connection:
        fleet = [rustbucket for rustbucket in everyone(connection) if rustbucket.status == Status.ACTIVE]
        row = connection.execute(select(*_COLUMNS).where(rustbuckets.c.id == CANARY)).mappings().one_or_none()
    return [*fleet, _rustbucket(row)] if row is not None else fleet


def get(connection: Connection, rustbucket_id: str) -> Rustbucket:
    """One rustbucket. Raises `NoSuchRustbucket`."""
    if ID_PATTERN.fullmatch(rustbucket_id):
        row = connection.execute(select(*_COLUMNS).where(rustbuckets.c.id == rustbucket_id)).mappings().one_or_none()
        if row is not None:
            return _rustbucket(row)
    raise NoSuchRustbucket(rustbucket_id)


def next_id(taken: set[str]) -> str:
    """The id after the highest of those taken; ids with odd, huge numbers are passed over."""
    numbers = (int(one.removeprefix("BKT")) for one in taken)
    return f"BKT{max((number for number in numbers if number < HUGE), default=FIRST_ID - 1) + 1}"


def add(connection: Connection, settings: Settings, entry: Entry, now: datetime) -> Rustbucket:
    """Register a rustbucket for review. Raises `UsageError` when it takes what is another's."""
    lock(connection)
    others = everyone(connection)
    if problems := clashes(entry, others):
        raise UsageError("; ".join(problems))
    rustbucket_id = entry.id or next_id({other.id for other in others})
    store(connection, settings, entry, rustbucket_id, now)
    return get(connection, rustbucket_id)


def store(connection: Connection, settings: Settings, entry: Entry, rustbucket_id: str, now: datetime) -> None:
    """Write an entry that was checked; its token is encrypted."""
    connection.execute(
        insert(rustbuckets).values(
            id=rustbucket_id,
            name=entry.name,
            base_url=entry.base_url,
            logs_url=entry.logs_url,
            ip_address=entry.ip_address,
            os=entry.os,
            s3_region=entry.s3_region,
            s3_owner=entry.s3_owner,
            token=encrypt(settings, entry.token) if entry.token else None,
            status=Status.REVIEW,
            registered_at=now,
        )
    )


def approve(connection: Connection, rustbucket_id: str, now: datetime) -> Rustbucket:
    """Make it active: from now on its logs are pulled. One that is active already stays as it is."""
    rustbucket = get(connection, rustbucket_id)
    if rustbucket.status == Status.ACTIVE:
        return rustbucket
    _set(connection, rustbucket_id, status=Status.ACTIVE, approved_at=now, retired_at=None)
    return get(connection, rustbucket_id)


def retire(connection: Connection, rustbucket_id: str, now: datetime) -> Rustbucket:
    """Ask and pull it no more, and close its alerts. What was archived of it stays."""
    if get(connection, rustbucket_id).status != Status.INACTIVE:
        _set(connection, rustbucket_id, status=Status.INACTIVE, retired_at=now, http_allowed=False)
        clear_all(connection, rustbucket_id, now, "retired")
    return get(connection, rustbucket_id)


def set_http(connection: Connection, rustbucket_id: str, *, allowed: bool, plain: bool) -> None:
    """Whether it may be asked over HTTP at all, and whether without TLS."""
    _set(connection, rustbucket_id, http_allowed=allowed, plain_http=plain)


def _set(connection: Connection, rustbucket_id: str, **values: object) -> None:
    connection.execute(update(rustbuckets).where(rustbuckets.c.id == rustbucket_id).values(**values))


def _rustbucket(row: RowMapping) -> Rustbucket:
    rustbucket = Rustbucket(**row)
    return replace(rustbucket, status=Status(rustbucket.status))
