"""`make pictures`: the README's pictures, made again from the demo's home.

Needs Debian's Chromium (`apt-get install chromium`). Here is only which pictures there are; each is a file beside this.
"""

import os
import subprocess
import sys
from pathlib import Path

from docs.pictures.browser import opened_browser
from docs.pictures.dashboard import picture_of_dashboard
from docs.pictures.terminal import picture_of_report
from docs.pictures.web import picture_of_lineage, picture_of_partitions, web_server
from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.settings import PROJECT_ROOT

FOLDER = Path(__file__).parent
HOME = PROJECT_ROOT / ".rustbucket-demo"


def main() -> None:
    """Run the demo (a second run finds everything done), then take the pictures."""
    os.environ.update({"DAGSTER_HOME": str(PROJECT_ROOT), "RUSTBUCKET_HOME": ".rustbucket"})
    subprocess.run([sys.executable, "-m", "rustbucket_pipeline.cli", "demo"], check=True, stdout=subprocess.DEVNULL)
    os.environ.update(environment(HOME))
    with opened_browser() as browser:
        picture_of_report(browser, FOLDER / "report.png")
        picture_of_dashboard(browser, FOLDER / "dashboard.png")
        with web_server() as address:
            picture_of_lineage(browser, address, FOLDER / "lineage.png")
            picture_of_partitions(browser, address, FOLDER / "partitions.png")
    for picture in sorted(FOLDER.glob("*.png")):
        sys.stdout.write(f"{picture.relative_to(PROJECT_ROOT)}  {picture.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
