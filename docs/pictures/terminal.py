"""The newest report as people see it in a terminal: the command's own colours, in a window of fixed width."""

import io
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

from playwright.sync_api import Browser
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS = 122
LINES = 32
THEME = TerminalTheme(
    (22, 27, 34),
    (214, 220, 228),
    [
        (72, 79, 88),
        (255, 123, 114),
        (126, 211, 138),
        (227, 179, 65),
        (121, 184, 255),
        (210, 168, 255),
        (102, 217, 239),
        (177, 186, 196),
    ],
)
PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><style>{stylesheet}
body {{ margin: 0; background: {background}; color: {foreground}; }}
pre {{ margin: 0; padding: 18px 22px; display: inline-block; font: 13px/1.42 "DejaVu Sans Mono", monospace; }}
</style></head><body><pre><code style="font-family: inherit">{code}</code></pre></body></html>"""


def picture_of_report(browser: Browser, file: Path) -> None:
    """The first screen of `rustbucket report`."""
    page = browser.new_page(device_scale_factor=1.3, viewport={"width": 1300, "height": 400})
    page.set_content(_as_html(["report"]))
    page.locator("pre").screenshot(path=file)
    page.close()


def _as_html(arguments: list[str]) -> str:
    coloured = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "rustbucket_pipeline.cli", *arguments]
    printed = subprocess.run(command, env=coloured, capture_output=True, check=True, encoding="utf-8").stdout
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ rustbucket {' '.join(arguments)}", style="dim"))
    for line in _screen(printed, console):
        console.print(line)
    return console.export_html(theme=THEME, code_format=PAGE)


def _screen(printed: str, console: Console) -> list[Text]:
    lines = (Text.from_ansi(line).wrap(console, COLUMNS) or [Text()] for line in printed.splitlines())
    return [*list(chain.from_iterable(lines))[:LINES], Text("…", style="dim")]
