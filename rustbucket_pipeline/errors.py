"""Every error this project raises on purpose, and what it means for whoever meets it.

    RustbucketError
    ├── PermanentError          trying again changes nothing
    │   ├── UsageError          a person's mistake: one line, no traceback
    │   │   ├── NoSuchRustbucket
    │   │   ├── BadWindow       malformed, misaligned, not over yet, or before the first window
    │   │   ├── WindowClosed    frozen or expired by retention: its rows aren't made anew
    │   │   └── BadFile         a file a person handed in, named by file and line
    │   ├── ConfigurationError  a setting is missing, malformed, or points to something unusable
    │   └── IntegrityError      stored data contradicts itself: stop and look
    └── TransientError          may pass by itself: worth a retry
        ├── DatabaseUnavailable
        ├── StoreUnavailable
        ├── TargetUnavailable   a message about alerts wasn't taken; it is sent again later
        ├── ReaderLost          a second process of ours that parsed logs was ended by somebody else
        └── SourceUnavailable   one rustbucket's logs or answers; never stops the others
            ├── FetchFailed     asking it over HTTP failed; `outcome` says how
            └── FileUnavailable one of its log files can't be read now; its others go on

Every message says what happened and ends with what to do. Only Dagster glue turns them into `dagster.Failure`;
only the command line turns them into an exit code. No error is defined anywhere else.
"""

from typing import ClassVar


class RustbucketError(Exception):
    """Root of the tree; `transient` says whether the same attempt may succeed later."""

    transient: ClassVar[bool] = False


class PermanentError(RustbucketError):
    """Trying again changes nothing."""


class UsageError(PermanentError):
    """A person asked for something that can't be done as asked."""


class NoSuchRustbucket(UsageError):
    """The registry holds no rustbucket of that id."""

    def __init__(self, rustbucket_id: str) -> None:
        """Name the id; the remedy is the list of those that exist."""
        super().__init__(f"no rustbucket {rustbucket_id!r} in the registry; `rustbucket fleet list` shows all of them")


class BadWindow(UsageError):
    """A window key is malformed, misaligned, in the future, or before the first window."""


class WindowClosed(UsageError):
    """A window is frozen or expired by retention: nothing is built anew there, and nothing was changed."""


class BadFile(UsageError):
    """A file handed in by a person can't be used; `problems` has one line for each, with file and line number."""

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        """The message is enough by itself; the problems are printed before it."""
        super().__init__(message)
        self.problems = problems


class ConfigurationError(PermanentError):
    """A setting is missing, malformed, or points to something that can't be used."""


class IntegrityError(PermanentError):
    """What is stored contradicts itself (a hash, a chain, a sum)."""


class TransientError(RustbucketError):
    """The same attempt may succeed later."""

    transient: ClassVar[bool] = True


class DatabaseUnavailable(TransientError):
    """PostgreSQL doesn't answer, or answered that it can't serve now."""


class StoreUnavailable(TransientError):
    """The archive's object store doesn't answer."""


class TargetUnavailable(TransientError):
    """Where a message about alerts was sent to, it wasn't taken."""


class ReaderLost(TransientError):
    """The second process that parses logs ended before it was done: killed, or out of memory."""


class SourceUnavailable(TransientError):
    """One rustbucket's log source or endpoint doesn't answer; the others go on."""


class FetchFailed(SourceUnavailable):
    """Asking a rustbucket over HTTP failed; `outcome` is one of `model.outcome.Outcome`."""

    def __init__(self, message: str, outcome: str) -> None:
        """Say what happened, and which outcome that is."""
        super().__init__(message)
        self.outcome = outcome


class FileUnavailable(SourceUnavailable):
    """One log file is gone, was replaced since it was listed, or may not be read; it is tried again."""
