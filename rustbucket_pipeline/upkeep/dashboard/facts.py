"""What the dashboard shows: the shapes only. Texts may be an attacker's; the page escapes them. Times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from rustbucket_pipeline.upkeep.dagster_seen import JobSeen, LogLine, RunSeen
from rustbucket_pipeline.upkeep.statistics import Measured


@dataclass(frozen=True, slots=True)
class AlertFact:
    """An open alert; `state` is `open`, `acknowledged` or `snoozed`."""

    id: int
    kind: str
    severity: str
    subject: str
    cause: str
    count: int
    opened_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """The gravest open alerts, and how many there are of each severity."""

    shown: tuple[AlertFact, ...]
    by_severity: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many are open."""
        return sum(self.by_severity.values())


@dataclass(frozen=True, slots=True)
class FindingFact:
    """A finding of a report."""

    id: str
    severity: str
    title: str
    technique: str | None
    why: str
    advice: str
    events: int
    rustbuckets: int


@dataclass(frozen=True, slots=True)
class WindowFact:
    """A window's report: `findings` are counted, `shown` the first of them, for the newest windows only.

    `summary` and `recommendations` are Claude's words, if there are any.
    """

    window_start: datetime
    severity: str
    status: str
    completeness: str
    headline: str
    summary: str | None
    recommendations: tuple[str, ...]
    findings: int
    events: int
    sessions: int
    shown: tuple[FindingFact, ...] = ()


@dataclass(frozen=True, slots=True)
class ProtocolFacts:
    """Events of each window by protocol: `series[name][n]` is of the window that begins at `starts[n]`.

    A window of which nothing is known has None everywhere.
    """

    starts: tuple[datetime, ...]
    series: Mapping[str, tuple[int | None, ...]]

    @property
    def total(self) -> int:
        """All of them together."""
        return sum(sum(count or 0 for count in counts) for counts in self.series.values())


@dataclass(frozen=True, slots=True)
class UsedFact:
    """A value attackers used; `second` is a credential's password. Counts are lower bounds."""

    value: str
    second: str | None
    events: int
    sources: int
    rustbuckets: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class BehaviourFact:
    """What sessions did that nobody did in the week before."""

    window_start: datetime
    protocol: str | None
    steps: tuple[str, ...]
    severity: str
    sessions: int
    sources: int
    rustbuckets: int


@dataclass(frozen=True, slots=True)
class IndicatorFact:
    """An address, URL or host that was new; `type` is `ip`, `url` or `host`."""

    type: str
    value: str
    events: int
    rustbuckets: int
    window_start: datetime


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What attackers did in the last day that is digested, `[since, until)`: most used, and what of it is new.

    `tops` are by kind: `sources`, `credentials`, `commands`, `paths`. The counts are of everything new.
    """

    since: datetime
    until: datetime
    tops: Mapping[str, tuple[UsedFact, ...]]
    behaviours: tuple[BehaviourFact, ...]
    behaviours_new: int
    indicators: tuple[IndicatorFact, ...]
    indicators_new: int


@dataclass(frozen=True, slots=True)
class HourFacts:
    """The hours of every rustbucket: `states[id][n]` is a letter for the n-th hour from `since`, a blank: none due.

    Letters are those of `sql/hours.sql`.
    """

    since: datetime
    hours: int
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RustbucketFact:
    """A rustbucket: how it was when last observed, how far its records reach, its events of the week, by bins."""

    id: str
    name: str
    status: str
    outcome: str | None
    observed_at: datetime | None
    watermark: datetime | None
    bins: tuple[int, ...]
    missing: int

    @property
    def events(self) -> int:
        """Of the whole week."""
        return sum(self.bins)


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """The rustbuckets that aren't retired, those that need somebody first; `total` counts those not shown, too."""

    rows: tuple[RustbucketFact, ...]
    total: int
    hours: HourFacts


@dataclass(frozen=True, slots=True)
class JobFact:
    """A job: how it stands, its newest runs, and of how many of the last day how many failed."""

    seen: JobSeen
    newest: tuple[RunSeen, ...]
    runs: int
    failed: int


@dataclass(frozen=True, slots=True)
class CostFact:
    """What Claude cost on a day."""

    day: date
    calls: int
    usd: float


@dataclass(frozen=True, slots=True)
class CostFacts:
    """The last 30 days, oldest first, and what a day may cost."""

    days: tuple[CostFact, ...]
    budget_usd: float

    @property
    def total_usd(self) -> float:
        """All of them together."""
        return sum(day.usd for day in self.days)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything on the page, as of `at`. `windows` are newest first; `day` is None before the first digest."""

    at: datetime
    alerts: AlertFacts
    windows: tuple[WindowFact, ...]
    day: DayFacts | None
    protocols: ProtocolFacts
    fleet: FleetFacts
    jobs: tuple[JobFact, ...]
    log: tuple[LogLine, ...]
    costs: CostFacts
    figures: Mapping[str, Measured]
