"""The dashboard as one HTML document: facts and view through the templates in `page/`, everything in it escaped.

Nothing is loaded and nobody asked: style and script stand in it, and its policy lets exactly these two act. Every text
is shown with control and bidirectional characters as escapes and bounded, whatever the template does with it.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.upkeep.dashboard.facts import Facts
from rustbucket_pipeline.upkeep.dashboard.filters import filters
from rustbucket_pipeline.upkeep.dashboard.view import HOUR_WORDS, SEVERITIES, view_of

PACKAGE = "rustbucket_pipeline.upkeep.dashboard"

LONGEST_TEXT = 1_500


def page_of(facts: Facts) -> str:
    """The document."""
    style, script = _own("page.css"), _own("page.js")
    page = _templates().get_template("page.html")
    return page.render(facts=facts, view=view_of(facts), style=style, script=script, policy=_policy(style, script))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE, "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.filters.update(filters())  # pyright: ignore[reportUnknownMemberType] (jinja2's)
    environment.globals.update(known_severities=(*SEVERITIES, "warning", "error"), hour_words=HOUR_WORDS)  # pyright: ignore[reportUnknownMemberType]
    return environment


def _own(name: str) -> Markup:
    """A file of ours, put into the page as it is."""
    return Markup(resources.files(PACKAGE).joinpath("page", name).read_text(encoding="utf-8"))  # noqa: S704 (ours)


def _policy(style: str, script: str) -> str:
    """Nothing is allowed but our own style and script, known by their hashes."""
    allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _finalized(value: object) -> object:
    """What every expression's value becomes before it is escaped."""
    return bounded(value, LONGEST_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value
