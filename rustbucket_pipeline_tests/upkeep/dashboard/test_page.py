"""The page as a document: whatever attackers wrote changes no tag of it, nothing in it leads out, and it is bounded."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustbucket_pipeline.upkeep.dashboard.page import page_of
from rustbucket_pipeline_tests.upkeep.dashboard.filled import HARMLESS, HOSTILE, empty, filled, large


class Skeleton(HTMLParser):
    """The tags with their attributes' names, in order; and the texts between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in {"style", "script"}:
            self.raw[self.tags[-1][0]] = data
        else:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment",))


def skeleton(page: str) -> Skeleton:
    parser = Skeleton()
    parser.feed(page)
    parser.close()
    return parser


@pytest.fixture(scope="module")
def harmless() -> Skeleton:
    return skeleton(page_of(filled(HARMLESS)))


@pytest.mark.parametrize("turn", range(0, len(HOSTILE), 4))
def test_hostile_texts_in_every_field_change_no_tag_and_no_attribute(harmless: Skeleton, turn: int) -> None:
    page = page_of(filled([*HOSTILE[turn:], *HOSTILE[:turn]]))
    assert skeleton(page).tags == harmless.tags
    assert not re.search(r"[^\n -~\u00a0-\u02ff\u2010-\u2027\u2030-\u205e]", re.sub("[\u0300-\u036f]", "", page))


@settings(max_examples=20)
@given(st.lists(st.text(max_size=40), min_size=len(HARMLESS), max_size=len(HARMLESS), unique=True))
def test_no_text_at_all_changes_a_tag(harmless: Skeleton, texts: list[str]) -> None:
    facts = filled([f"{text}{number}" for number, text in enumerate(texts)])
    assert skeleton(page_of(facts)).tags == harmless.tags


def test_nothing_in_the_page_leads_out_of_it_and_nothing_acts_but_our_script(harmless: Skeleton) -> None:
    page = page_of(filled(HARMLESS))
    assert {href for href in re.findall(r'href="([^"]*)"', page) if not href.startswith("#")} == set()
    names = {name for tag in harmless.tags for name in tag[1:]}
    assert not {
        name for name in names if name.startswith("on") or name in {"src", "style", "action", "srcdoc", "srcset"}
    }
    assert not re.search(r"url\(|@import|https?:", page)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    for kind, text in harmless.raw.items():
        assert f"{kind}-src &#39;sha256-{b64encode(sha256(text.encode()).digest()).decode()}&#39;" in policy
    assert policy.startswith("default-src &#39;none&#39;; ")
    assert set(harmless.raw) == {"style", "script"}


def test_what_attackers_wrote_is_shown_as_they_wrote_it(harmless: Skeleton) -> None:
    page = skeleton(page_of(filled(["<script>boom()</script>", "tab\there"])))
    assert "<script>boom()</script>" in page.texts
    assert any("tab\\there" in text for text in page.texts)


def test_every_text_is_bounded_however_long() -> None:
    assert len(page_of(filled(["A" * 1_000_000]))) < 400_000


def test_a_page_of_two_thousand_rustbuckets_stays_below_three_megabytes() -> None:
    page = page_of(large(2_000))
    assert len(page) < 3_000_000
    assert page.count("<tr data-attention=") == 2_000
    assert "1,960 more rustbuckets, each with no more hours missing" in page


def test_an_empty_page_says_what_isn_t_there_and_what_to_do() -> None:
    text = " ".join(skeleton(page_of(empty())).texts)
    for words in (
        "Nothing is wrong, as far as is known.",
        "No window has been reported yet.",
        "No window has been digested yet.",
        "No rustbucket is registered yet.",
        "nothing was due yet",
        "Nothing was logged yet.",
        "Nothing was spent.",
    ):
        assert words in text
