"""The limit of open files is raised as far as three hundred connections need, or named. Limits are a process's own."""

import subprocess
import sys

PROGRAM = """
import resource
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.net.open_files import make_room
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
try:
    print(make_room({wanted}), *resource.getrlimit(resource.RLIMIT_NOFILE))
except ConfigurationError as error:
    print(error)
"""


def _room(soft: int, hard: int, wanted: int) -> str:
    program = PROGRAM.format(soft=soft, hard=hard, wanted=wanted)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_a_low_limit_is_raised_as_far_as_needed() -> None:
    assert _room(256, 4096, 2000) == "300 1100 4096"


def test_a_limit_that_does_is_left_alone() -> None:
    assert _room(1200, 4096, 2000) == "300 1200 4096"
    assert _room(256, 256, 5) == "5 256 256"


def test_a_limit_that_cant_be_raised_is_named() -> None:
    said = _room(256, 512, 2000)
    assert "needs 1100 open files, and the limit is 512" in said
    assert "ulimit -Hn 1100" in said
