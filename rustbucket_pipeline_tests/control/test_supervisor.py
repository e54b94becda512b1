"""The supervisor on small programs of its own kind: real processes, a clock that the tests move."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rustbucket_pipeline.control.supervisor import Program, Supervisor
from rustbucket_pipeline.settings import PROJECT_ROOT

FOR_EVER = "import time; time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
FAMILY = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(600)"
PATIENCE_SECONDS = 30.0


class Stage:
    """Programs, each noting its pid when it starts; what was said; and the time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.now = 1000.0
        self.supervisor = self.supervise()

    def supervise(self, *programs: Program) -> Supervisor:
        self.supervisor = Supervisor(programs, PROJECT_ROOT, self.said.append, clock=lambda: self.now)
        return self.supervisor

    def program(self, name: str, body: str, answers: Callable[[], bool] | None = None) -> Program:
        return Program(name, [sys.executable, "-c", self.noting(name, body)], answers)

    def noting(self, name: str, body: str) -> str:
        note = (
            f"import os; file = open({str(self.folder / name)!r}, 'a'); file.write(f'{{os.getpid()}}\\n'); file.close()"
        )
        return f"{note}\n{body}"

    def pids(self, name: str) -> list[int]:
        """Of every start of that program so far."""
        noted = self.folder / name
        return [int(line) for line in noted.read_text(encoding="utf-8").split()] if noted.exists() else []

    def until(self, holds: Callable[[], bool]) -> None:
        """Rounds, the clock standing still, until it holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, self.said
            self.supervisor.look_after()
            time.sleep(0.01)

    def started(self, name: str, times: int = 1) -> int:
        """The pid of that program once it was started so many times."""
        self.until(lambda: len(self.pids(name)) >= times)
        return self.pids(name)[times - 1]

    def told(self, lines: int) -> None:
        self.until(lambda: len(self.said) >= lines)


def lives(pid: int) -> bool:
    """Whether it runs; one that ended and was not yet asked how doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.supervisor.stop()


def test_what_was_killed_is_started_again_and_one_line_says_so(stage: Stage) -> None:
    stage.supervise(stage.program("one", FOR_EVER), stage.program("two", FOR_EVER))
    first, other = stage.started("one"), stage.started("two")
    os.kill(first, signal.SIGKILL)
    stage.told(1)
    assert stage.said == ["one was ended by SIGKILL; starting it again in 1 s"]
    stage.now += 1
    assert lives(stage.started("one", times=2))
    assert stage.pids("two") == [other]
    assert len(stage.said) == 1


def test_what_ends_again_and_again_is_started_ever_more_seldom_but_never_given_up(stage: Stage) -> None:
    stage.supervise(stage.program("broken", "raise SystemExit(3)"))
    delays = [1, 2, 4, 8, 16, 32, 60, 60]
    for times, delay in enumerate(delays, start=1):
        stage.started("broken", times)
        stage.told(times)
        stage.now += delay - 0.5
        stage.supervisor.look_after()
        assert len(stage.pids("broken")) == times
        stage.now += 0.5
    assert stage.said == [f"broken ended with exit code 3; starting it again in {delay} s" for delay in delays]


def test_a_minute_of_life_makes_up_for_earlier_ends(stage: Stage) -> None:
    stage.supervise(stage.program("one", FOR_EVER))
    for times, (lived, delay) in enumerate([(0, 1), (1, 2), (61, 1)], start=1):
        pid = stage.started("one", times)
        stage.now += lived
        os.kill(pid, signal.SIGKILL)
        stage.told(times)
        assert stage.said[-1].endswith(f"in {delay} s")
        stage.now += delay


def test_the_next_program_waits_until_the_one_before_answers_for_the_first_time(stage: Stage) -> None:
    door: list[bool] = []
    stage.supervise(stage.program("one", FOR_EVER, lambda: bool(door)), stage.program("two", FOR_EVER))
    stage.started("one")
    stage.supervisor.look_after()
    assert stage.pids("two") == []
    door.append(True)
    two = stage.started("two")
    door.clear()
    os.kill(two, signal.SIGKILL)
    stage.told(1)
    stage.now += 1
    stage.started("two", times=2)


def test_one_that_lives_but_no_longer_answers_is_ended_and_started_again(stage: Stage) -> None:
    door = [True]
    stage.supervise(stage.program("mute", FOR_EVER, lambda: bool(door)))
    mute = stage.started("mute")
    stage.supervisor.look_after()
    door.clear()
    stage.now += 2
    stage.supervisor.look_after()
    assert stage.said == []
    stage.now += 1
    stage.told(2)
    assert stage.said == [
        "mute doesn't answer; ending it",
        "mute was ended by SIGKILL; starting it again in 1 s",
    ]
    assert not lives(mute)


def test_one_that_loads_slowly_is_given_three_minutes(stage: Stage) -> None:
    stage.supervise(stage.program("slow", FOR_EVER, lambda: False))
    slow = stage.started("slow")
    stage.now += 179
    stage.supervisor.look_after()
    assert lives(slow)
    stage.now += 2
    stage.told(2)
    assert not lives(slow)


def test_stopping_ends_the_programs_in_the_reverse_order_and_their_children_too(stage: Stage) -> None:
    order = stage.folder / "order"
    ending = (
        "import signal, sys, time\n"
        f"def end(*_):\n    with open({str(order)!r}, 'a') as file: file.write('NAME ')\n    sys.exit()\n"
        "signal.signal(signal.SIGINT, end)\n"
    )
    child = stage.noting("child", FOR_EVER)
    stage.supervise(
        stage.program("one", ending.replace("NAME", "one") + FAMILY.format(child=child)),
        stage.program("two", ending.replace("NAME", "two") + FOR_EVER),
    )
    pids = [stage.started("child"), stage.started("one"), stage.started("two")]
    stage.supervisor.stop()
    assert order.read_text(encoding="utf-8").split() == ["two", "one"]
    assert not any(lives(pid) for pid in pids)


def test_children_of_a_program_that_was_killed_work_on_and_are_ended_with_the_rest(stage: Stage) -> None:
    child = stage.noting("child", FOR_EVER)
    stage.supervise(stage.program("one", FAMILY.format(child=child)))
    orphan = stage.started("child")
    os.kill(stage.started("one"), signal.SIGKILL)
    stage.told(1)
    assert lives(orphan)
    stage.now += 1
    stage.started("one", times=2)
    stage.supervisor.stop()
    assert not lives(orphan)


def test_another_ctrl_c_kills_what_takes_its_time(stage: Stage) -> None:
    body = f"{STUBBORN}\n{stage.noting('stubborn', FOR_EVER)}"  # it ignores us before we know that it runs
    stage.supervise(Program("stubborn", [sys.executable, "-c", body]))
    stubborn = stage.started("stubborn")

    def impatient(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, impatient)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    began = time.monotonic()
    with suppress(KeyboardInterrupt):
        stage.supervisor.stop()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    assert 1 <= time.monotonic() - began < 15
    assert not lives(stubborn)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a program with its parent")
def test_a_supervisor_that_was_killed_leaves_nothing_behind(stage: Stage) -> None:
    body = (
        "from pathlib import Path; import time\n"
        "from rustbucket_pipeline.control.supervisor import Program, Supervisor\n"
        f"program = Program('inner', {[sys.executable, '-c', stage.noting('inner', FOR_EVER)]!r})\n"
        "Supervisor([program], Path.cwd(), print).look_after(); time.sleep(600)"
    )
    stage.supervise(stage.program("outer", body))
    inner = stage.started("inner")
    os.kill(stage.started("outer"), signal.SIGKILL)
    stage.until(lambda: not lives(inner))
