"""Pages of Dagster's real web UI on the demo's home. No daemon runs: nothing changes while pictures are taken."""

import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser

from rustbucket_pipeline.settings import PROJECT_ROOT

GROUPS = ("fleet", "archive", "events", "analysis")
PATIENCE_SECONDS = 60.0
MILLISECONDS_TO_SETTLE = 4000


@contextmanager
def web_server() -> Generator[str]:
    """The address of a web server that is ready."""
    port = _free_port()
    program = Path(sys.executable).with_name("dagster-webserver")
    command = [program, "--host", "127.0.0.1", "--port", str(port), "--workspace", "workspace.yaml"]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/server_info")
        yield address
    finally:
        process.terminate()
        process.wait()


def picture_of_lineage(browser: Browser, address: str, file: Path) -> None:
    """The global lineage, its groups opened, without the panels around it."""
    page = browser.new_page(viewport={"width": 1700, "height": 700})
    opened = ",".join(f"global@global:{group}" for group in GROUPS)
    page.goto(f"{address}/asset-groups?expanded={opened}")
    page.get_by_text("Hide navigation").click()
    page.reload()
    page.get_by_text("log_analysis").first.wait_for()
    page.wait_for_timeout(MILLISECONDS_TO_SETTLE)
    page.screenshot(path=file, clip={"x": 400, "y": 110, "width": 1250, "height": 500})
    page.close()


def picture_of_partitions(browser: Browser, address: str, file: Path) -> None:
    """The partitions of `parsed_logs`, and what is known of the newest."""
    page = browser.new_page(viewport={"width": 1320, "height": 760})
    page.goto(f"{address}/assets/parsed_logs?view=partitions")
    page.get_by_text("Hide navigation").click()
    page.get_by_text("Partitions Selected").wait_for()
    page.get_by_text("-03:00", exact=False).first.click()
    page.wait_for_timeout(MILLISECONDS_TO_SETTLE)
    page.screenshot(path=file)
    page.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return
