"""The archiving process as its driver sees it: orders go in, steps come out, and it may be killed at any of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from select import select

from rustbucket_pipeline.archive.steps import Step
from rustbucket_pipeline_tests.chaos.puller import Order

PATIENCE = 120.0
"""Seconds without a word after which it hangs: recovering PostgreSQL takes longest."""

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a pull ended: its exit status, and what it said last (`pulled …`, `failed …`; nothing if killed)."""

    status: int
    said: str


class Puller:
    """The process; `close` ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rustbucket_pipeline_tests.chaos.puller"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"},
        )
        self._heard = b""

    def pull(self, order: Order, at: Callable[[Step], bool]) -> Ended:
        """Have it pull; at every step ask whether it may go on, and kill it where not."""
        self._tell(order.line())
        said, pid = "", 0
        while True:
            word, _, rest = self._line().partition(" ")
            if word == "began":
                pid = int(rest)
            elif word == "ended":
                return Ended(int(rest), said)
            elif word != "at":
                said = f"{word} {rest}"
            elif at(Step(rest)):
                self._tell("go\n")
            else:
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        descriptor, until = self._process.stdout.fileno(), time.monotonic() + PATIENCE
        while b"\n" not in self._heard:
            assert select([descriptor], [], [], max(0.0, until - time.monotonic()))[0], "the archiving process hangs"
            more = os.read(descriptor, 65536)
            assert more, "the archiving process is gone"
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()
