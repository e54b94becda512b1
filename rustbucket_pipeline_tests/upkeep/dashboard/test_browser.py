"""The page from disk in a real browser: it renders, works by keyboard, and nothing in it acts or leads out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from docs.pictures.browser import CHROMIUM, opened_browser
from rustbucket_pipeline.upkeep.dashboard.facts import Facts
from rustbucket_pipeline.upkeep.dashboard.page import page_of
from rustbucket_pipeline_tests.upkeep.dashboard.filled import HARMLESS, HOSTILE, empty, filled, large

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium: `make chromium` installs it")

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
WATCH = "window.ran = 0; window.boom = () => { window.ran += 1; }; window.top.boom = window.boom;"


@dataclass
class Watched:
    """A page, and all it did that it shouldn't: requests, dialogs, complaints of the browser, new windows."""

    page: Page
    requests: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    blocked: list[str | None] = field(default_factory=list)

    def show(self, facts: Facts, file: Path) -> Page:
        file.write_text(page_of(facts), encoding="utf-8")
        self.page.goto(file.as_uri())
        self.page.wait_for_function("document.documentElement.classList.contains('scripted')")
        return self.page


Open = Callable[..., Watched]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens a window of that size in which everything a page does is noted."""
    pages: list[Page] = []

    def window(viewport: dict[str, int] = DESK, **how: object) -> Watched:
        page = browser.new_page(viewport=viewport, **how)
        pages.append(page)
        watched = Watched(page)
        page.add_init_script(WATCH)
        page.on("request", lambda request: watched.requests.append(request.url))
        page.on("requestfailed", lambda request: watched.blocked.append(request.failure))
        page.on("dialog", lambda dialog: (watched.wrongs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: watched.wrongs.append(str(error)))
        page.on("console", lambda message: watched.wrongs.append(message.text))
        page.on("popup", lambda popup: watched.wrongs.append(popup.url))
        page.on("websocket", lambda socket: watched.wrongs.append(socket.url))
        return watched

    yield window
    for page in pages:
        page.close()


@pytest.mark.parametrize("turn", [0, 14])
def test_hostile_texts_in_every_field_run_nothing_ask_nobody_and_go_nowhere(
    opened: Open, tmp_path: Path, turn: int
) -> None:
    watched = opened()
    page = watched.show(filled([*HOSTILE[turn:], *HOSTILE[:turn]]), tmp_path / "page.html")
    for summary in page.locator("summary").all():
        summary.click()
    for select in page.locator("select").all():
        select.select_option(index=1)
    page.locator("input[type=search]").fill("<script>")
    page.mouse.move(300, 300)
    assert page.evaluate("window.ran") == 0
    assert (watched.requests, watched.wrongs) == ([(tmp_path / "page.html").as_uri()], [])
    assert page.url == (tmp_path / "page.html").as_uri()
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert page.locator("body > *").evaluate_all("all => all.map(one => one.tagName)") == ["A", "HEADER", "MAIN"]


def test_a_script_that_got_in_all_the_same_would_not_run(opened: Open, tmp_path: Path) -> None:
    watched, file = opened(), tmp_path / "page.html"
    page = page_of(filled(HARMLESS))
    file.write_text(page.replace("</main>", "<script>boom()</script><img src=x onerror=boom()></main>"))
    watched.page.goto(file.as_uri())
    assert watched.page.evaluate("window.ran") == 0
    assert watched.blocked == ["csp"]
    assert any("Content Security Policy" in wrong for wrong in watched.wrongs)


def test_colours_follow_the_machine_until_a_person_chooses_and_the_choice_stays(opened: Open, tmp_path: Path) -> None:
    watched = opened(color_scheme="dark")
    page = watched.show(filled(HARMLESS), tmp_path / "page.html")

    def ground() -> object:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    dark = ground()
    page.emulate_media(color_scheme="light")
    light = ground()
    assert dark != light
    page.locator("#theme").press("Enter")
    page.locator("#theme").press("Enter")
    assert (page.locator("#theme").inner_text(), ground()) == ("Dark", dark)
    page.reload()
    assert (page.locator("#theme").inner_text(), ground()) == ("Dark", dark)
    assert watched.wrongs == []


def test_everything_works_by_keyboard(opened: Open, tmp_path: Path) -> None:
    page = opened().show(large(30), tmp_path / "page.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the alerts"
    page.keyboard.press("Enter")
    assert page.url.endswith("#alerts")
    second = page.locator("details").nth(1)
    assert second.get_attribute("open") is None
    second.locator("summary").press("Enter")
    assert second.get_attribute("open") is not None
    rows = page.locator("#fleet-rows tbody tr:visible")
    assert rows.count() == 30
    page.get_by_label("needs attention").press("Space")
    assert rows.count() == 3
    page.get_by_label("Find").fill("edge-20")
    assert rows.all_inner_texts()[0].startswith("BKT20 edge-20")
    assert (rows.count(), page.locator("[data-filters=fleet-rows] output").inner_text()) == (1, "1 of 30")


def test_logs_and_alerts_are_sifted_by_their_kind(opened: Open, tmp_path: Path) -> None:
    page = opened().show(filled(HARMLESS, each=4), tmp_path / "page.html")
    for name, rows in (("Kind", "#alert-rows"), ("Job", "#log-rows")):
        options = page.get_by_label(name).locator("option").all_inner_texts()
        page.get_by_label(name).select_option(options[1])
        shown = page.locator(f"{rows} tbody tr:visible").all_inner_texts()
        assert len(shown) < 4
        assert all(options[1] in row for row in shown)


@pytest.mark.long
def test_a_phone_shows_two_thousand_rustbuckets_without_scrolling_sideways(opened: Open, tmp_path: Path) -> None:
    watched = opened(PHONE)
    page = watched.show(large(2_000), tmp_path / "page.html")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    took = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert took < 5_000, f"{took} ms"
    assert page.locator("#fleet-rows tbody tr").count() == 2_000
    assert watched.wrongs == []


def test_an_empty_installation_has_a_page_too(opened: Open, tmp_path: Path) -> None:
    watched = opened()
    page = watched.show(empty(), tmp_path / "page.html")
    assert page.get_by_text("Nothing is wrong, as far as is known.").is_visible()
    assert watched.wrongs == []
