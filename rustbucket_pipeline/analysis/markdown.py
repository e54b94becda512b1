"""A report as Markdown: every line of the plain rendering, escaped so that no attacker's text becomes markup."""

import re
from collections.abc import Iterator

from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.analysis.render import lines_of

_ACTIVE = re.compile(r"([\\`*_{}\[\]()#+!|<>&~$@^=-])")
_ADDRESS = re.compile(r"(?i)\b(https?|ftps?|tftp|ldaps?)(://)")
_WWW = re.compile(r"(?i)\bwww\.")


def markdown_of(report: Report, said: str = "") -> str:
    """The report in Markdown; links in it are written so that no reader makes them clickable."""
    return "\n".join(_lines(report, said)) + "\n"


def escaped(text: str) -> str:
    """Text that any Markdown shows as it is written, with addresses defanged."""
    defanged = _WWW.sub("www[.]", _ADDRESS.sub(lambda found: found[1].replace("t", "x") + "[:]//", text))
    return _ACTIVE.sub(r"\\\1", defanged)


def _lines(report: Report, said: str) -> Iterator[str]:
    for line in lines_of(report, said):
        depth = len(line.text) - len(line.text.lstrip(" "))
        text = escaped(line.text.strip())
        match line.style:
            case "headline":
                yield f"# {text}"
            case "section":
                yield f"## {text}"
                yield ""
            case _ if text:
                yield f"{'  ' * max(0, depth // 3 - (depth <= 2))}- {text}" if depth else f"{text}  "
            case _:
                yield ""
