"""`rustbucket eval`: the checkout's measures, from anywhere; without a key a line that says so."""

import subprocess
import sys
from pathlib import Path

RUSTBUCKET = [str(Path(sys.executable).with_name("rustbucket")), "eval"]


def test_a_measure_is_printed_wherever_one_stands(tmp_path: Path) -> None:
    ran = subprocess.run([*RUSTBUCKET, "coverage", "live"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "real command sessions without a technique" in ran.stdout
    assert ran.stdout.endswith("set ANTHROPIC_API_KEY (and CLAUDE_SEND=examples), and run it again\n")


def test_a_measure_that_does_not_exist_is_named(tmp_path: Path) -> None:
    ran = subprocess.run([*RUSTBUCKET, "vibes"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "no such measure: vibes; there are: rules, coverage" in ran.stderr
