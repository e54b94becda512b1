"""Keeps programs running: starts them, starts again what ended, ends all of them. Which ones is the caller's choice.

Each gets a session of its own, so that Ctrl-C at the terminal reaches us alone and they end in our order, and its
children are found by their process group. Nothing waits here but `stop`; `look_after` is one round.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 1.0, 60.0
STEADY_SECONDS = 60.0
"""Of whatever lived this long, earlier failures are forgotten."""

FIRST_ANSWER_SECONDS = 180.0
SILENT_SECONDS = 3.0
"""How long a program may take until it first answers, and how long it may then not answer."""

GIVE_UP_SECONDS = 20.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Program:
    """One program to keep running; `answers`, if it has one, says whether it is of use, and takes seconds at most."""

    name: str
    command: Sequence[str]
    answers: Callable[[], bool] | None = None


@dataclass(slots=True)
class _Watched:
    """A program, and what became of it."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    due: float = 0.0
    started: float = 0.0
    failures: int = 0
    answered: bool = False  # ever
    patience: float = 0.0  # until when it may be silent
    groups: set[int] = field(default_factory=set[int])


class Supervisor:
    """The programs, started in their order and stopped in the reverse one.

    `say` is told each event in one line; `clock` counts seconds; `held` are file descriptors that the programs keep
    open as long as they live.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        directory: Path,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        held: tuple[int, ...] = (),
    ) -> None:
        """Take note; nothing is started."""
        self._watched = [_Watched(program) for program in programs]
        self._directory, self._say, self._clock, self._held = directory, say, clock, held

    def look_after(self) -> None:
        """One round: start what is due, note what ended, end what no longer answers.

        At first a program is started once all before it answer: what needs it would else complain at length.
        """
        for watched in self._watched:
            watched.groups = {group for group in watched.groups if _lives(group)}
            if watched.process is None:
                if self._clock() >= watched.due:
                    self._start(watched)
            elif (code := watched.process.poll()) is not None:
                self._ended(watched, code)
            else:
                self._listen(watched, watched.process)
            if not watched.answered:
                break

    def stop(self) -> None:
        """End every program and all their children: interrupted first, killed after 20 seconds or another Ctrl-C."""
        try:
            for watched in reversed(self._watched):
                for group in watched.groups:
                    _signal(group, signal.SIGINT)
                self._wait(watched)
        finally:
            for watched in self._watched:
                for group in watched.groups:
                    _signal(group, signal.SIGKILL)
                if watched.process is not None:
                    watched.process.wait()

    def _start(self, watched: _Watched) -> None:
        tied = [sys.executable, "-m", "rustbucket_pipeline.control.tied", str(os.getpid())]
        process = subprocess.Popen(
            [*tied, *watched.program.command],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self._held,
        )
        watched.process, watched.started = process, self._clock()
        watched.patience = watched.started + FIRST_ANSWER_SECONDS
        watched.answered |= watched.program.answers is None
        watched.groups.add(process.pid)

    def _ended(self, watched: _Watched, code: int) -> None:
        """Its children are left alone: runs under way finish and tell how they ended."""
        now = self._clock()
        watched.process = None
        watched.failures = 1 if now - watched.started >= STEADY_SECONDS else watched.failures + 1
        delay = min(FIRST_DELAY_SECONDS * 2 ** (watched.failures - 1), LONGEST_DELAY_SECONDS)
        watched.due = now + delay
        self._say(f"{watched.program.name} {_how(code)}; starting it again in {delay:.0f} s")

    def _listen(self, watched: _Watched, process: subprocess.Popen[bytes]) -> None:
        if watched.program.answers is None:
            return
        if watched.program.answers():
            watched.answered, watched.patience = True, self._clock() + SILENT_SECONDS
        elif self._clock() >= watched.patience:
            self._say(f"{watched.program.name} doesn't answer; ending it")
            process.kill()

    def _wait(self, watched: _Watched) -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while watched.groups and time.monotonic() < deadline:
            if watched.process is not None:
                watched.process.poll()
            watched.groups = {group for group in watched.groups if _lives(group)}
            time.sleep(POLL_SECONDS)


def _how(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)
