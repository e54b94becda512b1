"""The web UI of `rustbucket up` in a real browser: everything works in it, and no other page gets anywhere.

The same attacks succeed against Dagster's own server, so a test here that can't fail would be noticed.
"""

import contextlib
import signal
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from docs.pictures.browser import CHROMIUM, opened_browser
from rustbucket_pipeline.storage import embedded
from rustbucket_pipeline_tests.e2e.checkout import Checkout, free_port, graphql, wait_for
from rustbucket_pipeline_tests.e2e.foreign_page import NAME, ForeignSite, foreign_site

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium: `make chromium` installs it")

PATIENCE_MS = 60_000
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
HOURS = [f"{TODAY - timedelta(days=days):%Y-%m-%d}-03:00" for days in (3, 2)]

LIMITS = "{ instance { concurrencyLimits { concurrencyKey } } }"
BACKFILLS = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { numPartitions } } } }"
TERMINATE = 'mutation { terminateRun(runId: "any") { __typename } }'
ATTACK = "/graphql?query=mutation{setConcurrencyLimit(concurrencyKey:%%22attack_%s%%22,limit:1)}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    checkout = Checkout.at(tmp_path_factory.mktemp("ui") / "checkout")
    yield checkout
    embedded.down(checkout.root / ".rustbucket")


@pytest.fixture(scope="module")
def ui(checkout: Checkout) -> Iterator[int]:
    """The port of the web UI that `rustbucket up` serves."""
    with running(checkout, "rustbucket_pipeline.cli", "up", "--port") as port:
        yield port


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser to which the attacker's name is this machine."""
    with opened_browser(f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1500, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield page
    page.close()


@pytest.fixture
def site() -> Iterator[ForeignSite]:
    with foreign_site() as site:
        yield site


@contextlib.contextmanager
def running(checkout: Checkout, module: str, *arguments: str) -> Generator[int]:
    """A program with a web server on a port of its own, the last of its arguments."""
    port = free_port()
    process = checkout.start(module, *arguments, str(port))
    try:
        wait_for(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(90)


def test_lineage_launching_backfilling_and_live_logs_work_and_no_policy_is_in_their_way(ui: int, page: Page) -> None:
    complaints: list[str] = []
    live: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: live.append(str(frame))))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    home = f"http://127.0.0.1:{ui}"

    page.goto(f"{home}/asset-groups?expanded=global@global:archive,global@global:events")
    for asset in ("log_archives", "parsed_logs"):
        expect(page.get_by_text(asset).first).to_be_visible()

    page.goto(f"{home}/locations/rustbucket_pipeline/jobs/poll_fleet")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("View", exact=True).first.click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text("RUN_SUCCESS")).to_be_visible()
    assert any("RunSuccessEvent" in frame for frame in live)

    page.goto(f"{home}/assets/parsed_logs?view=partitions")
    page.get_by_text("Partitions Selected").wait_for()
    page.get_by_role("button", name="Materialize").first.click()
    hours = page.get_by_role("dialog").get_by_role("textbox")
    hours.fill(", ".join(HOURS))
    hours.press("Enter")
    page.get_by_role("button", name="Launch backfill").click()
    page.get_by_text("Launch runs to materialize").wait_for(state="hidden")

    assert [found["numPartitions"] for found in graphql(ui, BACKFILLS)["partitionBackfillsOrError"]["results"]] == [2]
    assert [text for text in complaints if "Content Security Policy" in text or "Refused" in text] == []


def test_a_page_elsewhere_changes_and_reads_nothing(ui: int, page: Page, site: ForeignSite) -> None:
    assert attack(page, site, ui) == {
        "image": "not shown",
        "form": "sent",
        "post": "TypeError",
        "json": "TypeError",
        "text": "TypeError",
        "script": "not loaded",
        "websocket": "not open",
    }
    assert limits(ui) == set()


def test_a_page_elsewhere_can_t_show_the_ui_in_a_frame(ui: int, page: Page, site: ForeignSite) -> None:
    with page.expect_console_message(lambda message: "frame-ancestors 'none'" in message.text):
        page.goto(site.address("framing", ui))
    assert [frame.url for frame in page.frames if frame.url.startswith(f"http://127.0.0.1:{ui}")] == []


def test_a_name_bound_to_this_machine_reads_and_changes_nothing(ui: int, page: Page) -> None:
    assert rebound(page, ui) == [421, 421]
    assert limits(ui) == set()


def test_an_image_in_a_page_of_the_ui_itself_changes_nothing_and_tells_nobody(
    ui: int, page: Page, site: ForeignSite
) -> None:
    page.goto(f"http://127.0.0.1:{ui}/runs")
    show = """source => new Promise(done => {
        const image = new Image();
        image.onload = image.onerror = event => done(event.type);
        image.src = source;
    })"""
    assert page.evaluate(show, ATTACK % "stored") == "error"
    assert page.evaluate(show, f"http://{NAME}:{site.port}/pixel.png") == "error"
    assert limits(ui) == set()
    assert site.reached == []


def test_all_of_this_gets_through_to_dagster_s_own_server(
    checkout: Checkout, ui: int, page: Page, site: ForeignSite
) -> None:
    workspace = str(checkout.root / ".rustbucket/run/workspace.yaml")
    with running(checkout, "dagster_webserver", "-h", "127.0.0.1", "-w", workspace, "-p") as bare:
        assert attack(page, site, bare)["websocket"] == "open"
        assert rebound(page, bare) == [200, 200]
        done = limits(bare)
        for name in done:
            graphql(ui, f'mutation {{ deleteConcurrencyLimit(concurrencyKey: "attack_{name}") }}')
    assert done == {"image", "form", "post", "rebound"}


def test_read_only_shows_everything_and_changes_nothing(checkout: Checkout, ui: int, page: Page) -> None:
    workspace = str(checkout.root / ".rustbucket/run/workspace.yaml")
    server = ("rustbucket_pipeline.web.server", "--read-only", "--workspace", workspace, "--port")
    with running(checkout, *server) as port:
        assert graphql(port, TERMINATE)["terminateRun"]["__typename"] == "UnauthorizedError"
        page.goto(f"http://127.0.0.1:{port}/locations/rustbucket_pipeline/jobs/poll_fleet")
        expect(page.get_by_role("button", name="Materialize").first).to_be_disabled()


def attack(page: Page, site: ForeignSite, ui: int) -> dict[str, str]:
    """Open the foreign page, let it try everything, and say what it saw of it."""
    page.goto(site.address("page", ui))
    page.wait_for_function("window.outcomes")
    outcomes: dict[str, str] = page.evaluate("window.outcomes")
    return outcomes


def rebound(page: Page, ui: int) -> list[int]:
    """Open the UI under the attacker's name and ask for a change from there; the statuses of both."""
    answer = page.goto(f"http://{NAME}:{ui}/server_info")
    asked: int = page.evaluate("address => fetch(address).then(answer => answer.status)", ATTACK % "rebound")
    return [answer.status if answer else 0, asked]


def limits(port: int) -> set[str]:
    """The attempts that got through: each sets a concurrency limit of its name."""
    keys = [found["concurrencyKey"] for found in graphql(port, LIMITS)["instance"]["concurrencyLimits"]]
    return {key.removeprefix("attack_") for key in keys if key.startswith("attack_")}
