"""PostgreSQL's own programs that dump and restore: which of those at hand fits a server, and how they are run.

The embedded server's are of version 18; for a newer outside server its own must be on the PATH. Passwords go by the
environment, never by the command line.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from rustbucket_pipeline.errors import ConfigurationError, DatabaseUnavailable, IntegrityError
from rustbucket_pipeline.storage import databases, embedded

_VERSION = re.compile(r"(\d+)(?:\.\d+)?")
_JOBS = "2"


@dataclass(frozen=True, slots=True)
class Program:
    """One of PostgreSQL's programs, and its version, like `18.4`."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        """Of its version."""
        return int(self.version.partition(".")[0])


def dumper_for(server_major: int) -> Program:
    """A pg_dump that can dump a server of that major version: none dumps a server newer than itself.

    Raises:
        ConfigurationError: there is none.
    """
    own = _program(embedded.programs() / "pg_dump")
    if own.major >= server_major:
        return own
    found = shutil.which("pg_dump")
    other = _program(Path(found)) if found else None
    if other is not None and other.major >= server_major:
        return other
    raise ConfigurationError(
        f"pg_dump {own.version} can't dump a server of version {server_major}; "
        f"put a pg_dump of version {server_major} or newer on the PATH"
    )


@contextmanager
def dumping(program: Program, url: URL, snapshot: str) -> Generator["DumpOutput"]:
    """The database as that snapshot has it, in pg_dump's custom format, as it comes; read it to its end.

    Raises:
        DatabaseUnavailable: pg_dump failed; what was read is no dump.
    """
    command = [program.path, "--format=custom", "--compress=gzip:1", f"--snapshot={snapshot}", "--no-password"]
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [*command, "--dbname", databases.dsn(url.set(password=None))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            env=_environment(url),
        )
        try:
            yield DumpOutput(process, words)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def restore_dump(dump: Path, url: URL) -> None:
    """Bring a dump into an empty database of an embedded server; nobody's rights and owners come with it.

    Raises:
        IntegrityError: pg_restore can't: the dump is damaged, or of a newer PostgreSQL.
    """
    command: list[str | Path] = [embedded.programs() / "pg_restore", "--exit-on-error", "--no-owner"]
    command += ["--no-privileges", "--jobs", _JOBS, "--dbname", databases.dsn(url), dump]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=_environment(url))
    if done.returncode:
        raise IntegrityError(f"pg_restore can't restore {dump.name}: {_last_line(done.stderr)}; take another backup")


class DumpOutput:
    """What pg_dump writes; its end is believed only if pg_dump says that it succeeded."""

    def __init__(self, process: subprocess.Popen[bytes], words: IO[bytes]) -> None:
        """`words`: where it complains."""
        self._process = process
        self._words = words

    def read(self, size: int = -1) -> bytes:
        """What comes next; at the end, `DatabaseUnavailable` unless the dump is whole."""
        data = self._process.stdout.read(size) if self._process.stdout else b""
        if not data and self._process.wait() != 0:
            self._words.seek(0)
            said = _last_line(self._words.read(4096))
            raise DatabaseUnavailable(f"pg_dump failed ({said}); the next run tries again")
        return data


def _program(path: Path) -> Program:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, check=True, timeout=20, env=_environment(None))
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationError(f"{path} can't be run ({error}); install PostgreSQL's programs anew") from error
    found = _VERSION.search(said.stdout.decode(errors="replace").rpartition("PostgreSQL)")[2])
    if found is None:
        raise ConfigurationError(f"{path} doesn't say its version; install PostgreSQL's programs anew")
    return Program(path, found[0])


def _environment(url: URL | None) -> dict[str, str]:
    known = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
    return known | {"PGPASSWORD": url.password} if url is not None and url.password else known


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return "".join(c for c in lines[-1] if c.isprintable())[:300]
