"""The database itself is down: told without it, because alerts live there; and entered when it is back.

Whoever looks after the whole system looks here every minute (`rustbucket up`, or `rustbucket doctor --alert` by cron).
What was told is kept in a file of the home: each outage is told once, and once that it is over.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from rustbucket_pipeline.alerts.book import clear, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.alerts.routes import Target, targets_of
from rustbucket_pipeline.alerts.senders import Sender, send
from rustbucket_pipeline.alerts.words import Told, message_of
from rustbucket_pipeline.errors import DatabaseUnavailable, TargetUnavailable
from rustbucket_pipeline.model.text import first_line
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import replace_text

PATIENCE = timedelta(minutes=2)
"""How long it may be down unsaid: a restart takes less."""

CALM = timedelta(minutes=10)
"""How long it must be up until the outage is over."""

SUBJECT = "database"


class Outage(BaseModel):
    """An outage as the file keeps it (UTC): since when, why, since when it is over, and which targets were told."""

    model_config = ConfigDict(frozen=True)

    since: AwareDatetime
    why: str
    up_since: AwareDatetime | None = None
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at our database, and tells people of outages by way of `sender`."""

    engine: Engine
    settings: Settings
    sender: Sender = send

    def look(self, now: datetime) -> Outage | None:
        """Look once, and tell what is due; the outage that lasts or isn't over for good, None: there is none.

        Raises:
            ConfigurationError: the targets' settings can't be read.
        """
        why, outage = self._why_down(), self._kept()
        if why is not None:
            outage = outage.model_copy(update={"up_since": None}) if outage else Outage(since=now, why=why)
            if now - outage.since >= PATIENCE:
                outage = outage.model_copy(update={"told": (*outage.told, *self._tell(outage, "opened", outage.told))})
        elif outage is None:
            return None
        elif outage.up_since is None:
            outage = outage.model_copy(update={"up_since": now})
        elif now - outage.up_since >= CALM:
            self._end(outage, outage.up_since)
            return None
        replace_text(self._path, outage.model_dump_json())
        return outage

    def _why_down(self) -> str | None:
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, DatabaseUnavailable) as error:
            return first_line(error.__cause__ or error)
        return None

    def _kept(self) -> Outage | None:
        try:
            return Outage.model_validate_json(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    @property
    def _path(self) -> Path:
        return self.settings.home / "outage.json"

    def _end(self, outage: Outage, up_since: datetime) -> None:
        """Enter what is over into the book, tell those who were told, and forget it."""
        kind = Kind.DATABASE_UNAVAILABLE
        if up_since - outage.since > PATIENCE:
            with self.engine.begin() as connection:
                raise_(connection, kind, SUBJECT, outage.why, kind.severity, outage.since)
                clear(connection, kind, SUBJECT, up_since, "it can be used again")
        self._tell(outage, "closed", ())
        self._path.unlink(missing_ok=True)

    def _tell(self, outage: Outage, state: str, done: Sequence[str]) -> list[str]:
        """Tell the targets that this kind is for, but for those that were; which took the message."""
        kind = Kind.DATABASE_UNAVAILABLE
        wanted = [one for one in targets_of(self.settings) if _wants(one, kind) and one.key not in done]
        if state == "closed":
            wanted = [one for one in wanted if one.key in outage.told]
        if not wanted or not self.settings.alert_on_failure:
            return []
        told = [Told(0, state, kind.value, kind.severity.value, SUBJECT, outage.why, 1, outage.since)]
        with ThreadPoolExecutor(len(wanted), thread_name_prefix="outage") as pool:
            sent = [(target, pool.submit(self._sent, target, told)) for target in wanted]
        return [target.key for target, was_taken in sent if was_taken.result()]

    def _sent(self, target: Target, told: Sequence[Told]) -> bool:
        try:
            self.sender(target, message_of(told), told)
        except TargetUnavailable:
            return False  # the next look tries again
        return True


def _wants(target: Target, kind: Kind) -> bool:
    return not target.digest_only and kind in target.kinds and kind.severity in target.severities
