"""Under which account an embedded server runs, and how that account reaches its files.

PostgreSQL refuses to run as root. Then a system account without a login runs it, and that account alone gets search
permission (a POSIX ACL) on those parent directories that are closed: their modes, and everyone else, stay as they are.
"""

import errno
import os
import pwd
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rustbucket_pipeline.errors import ConfigurationError

SYSTEM_ACCOUNT = "rustbucket-pg"

READ, SEARCH = 4, 1

_ATTRIBUTE = "system.posix_acl_access"
_ENTRY = struct.Struct("<HHI")
_VERSION = struct.pack("<I", 2)
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 1, 2, 4, 8, 16, 32
_NOBODY = 0xFFFFFFFF

_Acl = dict[tuple[int, int], int]
"""Permission bits by (tag, user or group id)."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server, as `subprocess` wants it; all None: we ourselves."""

    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        """No supplementary groups for another account; our own for ourselves."""
        return None if self.uid is None else []

    def owns(self, path: Path) -> None:
        """Make the account the owner of that file or directory and everything in it."""
        if self.uid is None:
            return
        for inner in (path, *path.rglob("*")):
            os.chown(inner, self.uid, self.gid if self.gid is not None else -1, follow_symlinks=False)


def account_for(pg: Path) -> Account:
    """Who is to run the server of this data directory, which need not exist yet.

    Raises:
        ConfigurationError: we are root, and the system account can't be made.
    """
    if os.geteuid() != 0:
        return Account()
    owner = pg.stat().st_uid if pg.exists() else 0
    entry = pwd.getpwuid(owner) if owner else _system_account()
    return Account(entry.pw_uid, entry.pw_gid)


def let_in(account: Account, directory: Path, program: Path) -> None:
    """Let the account reach `directory`, and reach and run what is below `program`.

    Raises:
        ConfigurationError: the file system keeps no access lists.
    """
    if account.uid is None:
        return
    try:
        _open_parents(account.uid, directory)
        _open_parents(account.uid, program)
        _open_tree(account.uid, program)
    except OSError as error:
        raise ConfigurationError(
            f"the account {account.uid}, which runs PostgreSQL for root, can't be let in to {error.filename} "
            f"({error.strerror}); run as another user, or set RUSTBUCKET_DATABASE_URL"
        ) from error


def _system_account() -> pwd.struct_passwd:
    found = _lookup()
    if found is None:
        reason = _make_account()
        found = _lookup()
        if found is None:
            raise ConfigurationError(
                f"PostgreSQL doesn't run as root, and no account {SYSTEM_ACCOUNT} could be made for it ({reason}); "
                f"make it, run as another user, or set RUSTBUCKET_DATABASE_URL"
            )
    return found


def _lookup() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        return None


def _make_account() -> str:
    """Make it; what stood in the way. A second home may be making it at this moment: that is no failure."""
    tool = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if tool is None:
        return "there is no useradd"
    nowhere = ["--home-dir", "/nonexistent", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    made = subprocess.run(
        [tool, "--system", "--user-group", *nowhere, SYSTEM_ACCOUNT], capture_output=True, check=False, timeout=60
    )
    return made.stderr.decode(errors="replace").strip() or f"useradd ended with {made.returncode}"


def _open_parents(uid: int, path: Path) -> None:
    for directory in (path, *path.parents):
        if not directory.stat().st_mode & stat.S_IXOTH:
            _grant(directory, uid, SEARCH)


def _open_tree(uid: int, root: Path) -> None:
    """Installed under a strict umask, the programs are closed too."""
    for path in _closed(root):
        _grant(path, uid, READ | (SEARCH if path.stat().st_mode & stat.S_IXUSR else 0))


def _closed(root: Path) -> Iterable[Path]:
    if (root / "bin" / "postgres").stat().st_mode & stat.S_IROTH:
        return ()
    return (path for path in (root, *root.rglob("*")) if not path.is_symlink())


def _grant(path: Path, uid: int, bits: int) -> None:
    """Add permission for one account. What a mask held back from others stays held back."""
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, "no access lists here", str(path))
    acl = _read_acl(path)
    mask = acl.get((_MASK, _NOBODY), 7)
    if acl.get((_USER, uid), 0) & mask & bits == bits:
        return
    classes = (_USER, _GROUP_OBJ, _GROUP)
    acl = {key: held & mask if key[0] in classes else held for key, held in acl.items()}
    acl[_USER, uid] = acl.get((_USER, uid), 0) | bits
    acl[_MASK, _NOBODY] = _union(held for (tag, _), held in acl.items() if tag in classes)
    packed = b"".join(_ENTRY.pack(tag, held, who) for (tag, who), held in sorted(acl.items()))
    os.setxattr(path, _ATTRIBUTE, _VERSION + packed)


def _read_acl(path: Path) -> _Acl:
    try:
        raw = os.getxattr(path, _ATTRIBUTE)
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        mode = path.stat().st_mode
        return {(_USER_OBJ, _NOBODY): mode >> 6 & 7, (_GROUP_OBJ, _NOBODY): mode >> 3 & 7, (_OTHER, _NOBODY): mode & 7}
    return {(tag, who): held for tag, held, who in _ENTRY.iter_unpack(raw[len(_VERSION) :])}


def _union(permissions: Iterable[int]) -> int:
    together = 0
    for bits in permissions:
        together |= bits
    return together
