"""The dashboard's page, from disk, as `rustbucket upkeep run dashboard` wrote it on the demo's home."""

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser

from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.upkeep.dashboard.task import DASHBOARD, place_of


def picture_of_dashboard(browser: Browser, file: Path) -> None:
    """The first screen: alerts, the newest report, what is new."""
    command = [sys.executable, "-m", "rustbucket_pipeline.cli", "upkeep", "run", DASHBOARD.name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    page = browser.new_page(viewport={"width": 1240, "height": 880}, color_scheme="light")
    page.goto(place_of(load_settings()).as_uri())
    page.screenshot(path=file)
    page.close()
