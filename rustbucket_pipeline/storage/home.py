"""The home: the one directory that holds everything of the project's own, closed to every other account.

Only its making and what it remembers of it (`settings.toml`). What lies inside belongs to those who put it there.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings


def private_directory(path: Path, setting: str = "RUSTBUCKET_HOME") -> Path:
    """The directory, made (0700, parents too) if it is missing; the mode of an existing one is left alone.

    `setting` is the variable that could name another place.

    Raises:
        ConfigurationError: it can't be made, or is no directory we may write to.
    """
    try:
        _make_private(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"{path} can't be made ({reason}); set {setting} to a directory you may write to"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{path} isn't writable; set {setting} to a directory you may write to")
    return path


def prepare_home(settings: Settings, now: datetime) -> Path:
    """The home, ready for use; the first call notes `since`, the start of the first window, for good.

    Any number of processes may call it at once: all see the same `since` afterwards.

    Raises:
        ConfigurationError: the home can't be made or written to.
    """
    home = private_directory(settings.home)
    if not settings.state_file.exists():
        since = settings.first_window(now)
        write_once(settings.state_file, f"# Start of the first window (UTC).\nsince = {since.isoformat()!r}\n")
    return home


def write_once(path: Path, text: str) -> bool:
    """Give the file (0600) that text unless it exists; never seen half-written. Whether it was ours that stayed.

    Raises:
        ConfigurationError: its directory can't be written to.
    """
    with _beside(path, text) as written:
        try:
            os.link(written, path)
        except FileExistsError:
            return False
        return True


def replace_text(path: Path, text: str) -> None:
    """Give the file (0600) that text, whatever it held; never seen half-written.

    Raises:
        ConfigurationError: its directory can't be written to.
    """
    with _beside(path, text) as written:
        written.replace(path)


@contextmanager
def _beside(path: Path, text: str) -> Generator[Path]:
    """The text in a file of its own in the same directory, durable; gone afterwards unless it was renamed."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written ({error.strerror}); make room or correct its rights"
        ) from error


def _make_private(path: Path) -> None:
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is a file")
