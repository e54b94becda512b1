"""The task `dashboard`: gathers, writes the page down, and puts it where people find it: in the home and the archive.

Whoever opens it meanwhile sees the page before or the new one, whole.
"""

from datetime import timedelta
from pathlib import Path

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import replace_text
from rustbucket_pipeline.upkeep.amounts import sized
from rustbucket_pipeline.upkeep.dashboard.facts import Facts
from rustbucket_pipeline.upkeep.dashboard.gather import gather
from rustbucket_pipeline.upkeep.task import Bench, Figure, Task, Told

KEY = "dashboard/index.html"
"""The page in the archive: always the newest."""


def place_of(settings: Settings) -> Path:
    """The page in the home."""
    return settings.home / "dashboard.html"


def _run(bench: Bench) -> Told:
    facts, page = _made(bench)
    place = place_of(bench.settings)
    replace_text(place, page)
    bench.archive.replace(KEY, page.encode("utf-8"))
    bench.archive.settle()
    told = {"page": place.as_uri(), "in_archive": f"{bench.archive.url}/{KEY}"}
    return Told(f"written: {place} ({sized(len(page))})", figures=_figures(facts, page) | told)


def _dry_run(bench: Bench) -> Told:
    facts, page = _made(bench)
    return Told(f"made, {sized(len(page))}; {place_of(bench.settings)} is left as it is", figures=_figures(facts, page))


def _made(bench: Bench) -> tuple[Facts, str]:
    from rustbucket_pipeline.upkeep.dashboard.page import page_of  # imported here: a template engine no one else needs

    facts = gather(bench)
    return facts, page_of(facts)


def _figures(facts: Facts, page: str) -> dict[str, Figure]:
    return {
        "bytes": len(page.encode("utf-8")),
        "open_alerts": facts.alerts.total,
        "windows": len(facts.windows),
        "newest_severity": facts.windows[0].severity if facts.windows else None,
        "rustbuckets": facts.fleet.total,
    }


DASHBOARD = Task(
    name="dashboard",
    what="Write one page of where everything stands: alerts, reports, what is new, completeness, fleet, jobs, cost.",
    cron="20 * * * *",
    every=timedelta(hours=1),
    run=_run,
    dry_run=_dry_run,
    deps=("fleet_status", "log_archives", "parsed_logs", "log_analysis", "statistics"),
    kinds=frozenset({"postgres", "html"}),
)
"""The asset `dashboard`."""
