"""A report as one HTML document: nothing in it is loaded or run, everything in it escaped. Its template is in `html/`.

Every text passes `visible` before it is escaped, whatever the template does with it.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rustbucket_pipeline.analysis.neutralise import visible
from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.analysis.render import figures_of, listings_of, some
from rustbucket_pipeline.model.window import FOUR_HOURS, Window

PACKAGE = "rustbucket_pipeline.analysis"

LONGEST = 1_500
"""Characters of one text; what attackers wrote is cut long before."""


def html_of(report: Report, said: str = "") -> str:
    """The document. `said`: when it was said, and by which revision."""
    style = Markup(resources.files(PACKAGE).joinpath("html", "report.css").read_text(encoding="utf-8"))  # noqa: S704
    return (
        _templates()
        .get_template("report.html")
        .render(
            report=report,
            said=said,
            span=str(Window(report.start, FOUR_HOURS)),
            figures=[line.text.strip() for line in figures_of(report)],
            listings=listings_of(report),
            style=style,
            policy=f"default-src 'none'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'",
        )
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE, "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.filters["some"] = some  # pyright: ignore[reportUnknownMemberType] (jinja2's)
    return environment


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _finalized(value: object) -> object:
    """What every expression's value becomes before it is escaped."""
    return visible(value, LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value
