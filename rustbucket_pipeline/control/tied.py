"""`python -m rustbucket_pipeline.control.tied PARENT PROGRAM …`: becomes that program, which ends with its parent.

The kernel interrupts it when the parent dies, of `kill -9` too: two daemons at once would start every run twice.
Linux only; elsewhere the program just starts.
"""

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of prctl(2); it outlasts `execv`."""


def main() -> None:
    """Tie this process to its parent, then become the program named by the arguments."""
    parent, program, *arguments = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it, and would hand that on
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGINT)
        if os.getppid() != int(parent):  # it died before we asked
            sys.exit(1)
    os.execv(program, [program, *arguments])  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main()
