"""`rustbucket up` as a service of systemd, of a person or of the machine, and a look at everything each five minutes.

The look is a program of its own: it tells people when what should tell them is down.
"""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rustbucket_pipeline.errors import ConfigurationError, UsageError
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings

SYSTEMD = Path("/run/systemd/system")
"""There while systemd runs the machine."""

UP, LOOK, TIMER = "rustbucket.service", "rustbucket-look.service", "rustbucket-look.timer"


@dataclass(frozen=True, slots=True)
class Services:
    """Where the units lie, and how systemd is asked: the machine's for root, else a person's own."""

    directory: Path
    systemctl: tuple[str, ...]

    @classmethod
    def of(cls, user: int, home: Path) -> "Services":
        """Those of that account."""
        if user == 0:
            return cls(Path("/etc/systemd/system"), ("systemctl",))
        return cls(home / ".config" / "systemd" / "user", ("systemctl", "--user"))

    def install(self, settings: Settings, program: Path, systemd: Path = SYSTEMD) -> list[Path]:
        """Write the units, enable and start them; which of them changed. Twice changes nothing.

        Raises:
            UsageError: no systemd runs here; nothing was written.
            ConfigurationError: a unit can't be written, or systemd refuses them.
        """
        if not systemd.is_dir() or shutil.which(self.systemctl[0]) is None:
            raise UsageError(
                "no systemd runs here, so nothing was installed; have whatever starts programs on this machine run "
                f"`{program} up` in {PROJECT_ROOT}, and `{program} doctor --alert` every five minutes"
            )
        changed = [path for name, text in units(settings, program).items() if self._write(path := self._at(name), text)]
        self._ask("daemon-reload")
        self._ask("enable", "--now", UP, TIMER)
        if self._at(UP) in changed:
            self._ask("restart", UP)
        return changed

    def _at(self, name: str) -> Path:
        return self.directory / name

    def _write(self, path: Path, text: str) -> bool:
        try:
            if path.exists() and path.read_text(encoding="utf-8") == text:
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"{path} can't be written ({error.strerror}); correct its rights") from error
        return True

    def _ask(self, *words: str) -> None:
        asked = subprocess.run([*self.systemctl, *words], capture_output=True, text=True, check=False)
        if asked.returncode:
            why = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ConfigurationError(
                f"systemctl {' '.join(words)} failed: {why[:300]}; the units are in {self.directory}"
            )


def units(settings: Settings, program: Path) -> Mapping[str, str]:
    """The units by name. Variables they need are in `service.env` of the home: secrets don't belong into units."""
    where = (
        f"WorkingDirectory={_quoted(settings.dagster_home)}\n"
        f'Environment="DAGSTER_HOME={_quoted(settings.dagster_home)}" "RUSTBUCKET_HOME={_quoted(settings.home)}"\n'
        f"EnvironmentFile=-{_quoted(settings.home / 'service.env')}\n"
    )
    command = f'"{_quoted(program)}"'
    return {
        UP: (
            "[Unit]\nDescription=Rustbucket pipeline: web UI, daemon and database\nAfter=network-online.target\n"
            "Wants=network-online.target\n\n"
            f"[Service]\n{where}ExecStart={command} up\nRestart=always\nRestartSec=5\nTimeoutStopSec=90\n"
            "KillMode=mixed\nUMask=0077\n\n[Install]\nWantedBy=default.target\n"
        ),
        LOOK: (
            "[Unit]\nDescription=Rustbucket pipeline: a look at everything, and alerts\n\n"
            f"[Service]\nType=oneshot\n{where}ExecStart={command} doctor --alert\nUMask=0077\n"
            "SuccessExitStatus=0 1\nNice=5\n"
        ),
        TIMER: (
            "[Unit]\nDescription=Rustbucket pipeline: look at everything each five minutes\n\n"
            "[Timer]\nOnBootSec=5min\nOnUnitActiveSec=5min\n\n[Install]\nWantedBy=timers.target\n"
        ),
    }


def _quoted(path: Path) -> str:
    """As systemd reads it: per cent signs begin its own words, and nothing else than a path may stand here."""
    text = str(path)
    if not text.isprintable() or set(text) & set("\"'\\$"):
        raise UsageError(f"{text!r} can't stand in a unit of systemd; choose a path without quotes")
    return text.replace("%", "%%")
