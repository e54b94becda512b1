"""The units as systemd reads them, and their installing: by a systemctl that notes what it is asked."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rustbucket_pipeline.control.services import LOOK, TIMER, UP, Services, units
from rustbucket_pipeline.errors import ConfigurationError, UsageError
from rustbucket_pipeline.settings import Settings

PROGRAM = Path("/opt/rust bucket/bin/rustbucket")

Asked = Callable[[], list[str]]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A machine whose systemctl notes its words; it fails if there is a file `refuse`."""
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "systemctl"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ ! -e {tmp_path}/refuse ] || {{ echo no >&2; exit 1; }}\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    note = tmp_path / "asked"

    def words() -> list[str]:
        found = note.read_text().splitlines() if note.exists() else []
        note.unlink(missing_ok=True)
        return found

    return words


def test_installing_writes_enables_and_starts_and_twice_changes_nothing(
    settings: Settings, tmp_path: Path, asked: Asked
) -> None:
    services = Services(tmp_path / "units", ("systemctl", "--user"))
    changed = services.install(settings, PROGRAM, systemd=tmp_path)
    assert sorted(path.name for path in changed) == sorted([UP, LOOK, TIMER])
    assert asked() == ["--user daemon-reload", f"--user enable --now {UP} {TIMER}", f"--user restart {UP}"]
    assert services.install(settings, PROGRAM, systemd=tmp_path) == []
    assert asked() == ["--user daemon-reload", f"--user enable --now {UP} {TIMER}"]


def test_without_systemd_nothing_is_written_and_it_is_said_what_to_do(settings: Settings, tmp_path: Path) -> None:
    services = Services(tmp_path / "units", ("systemctl",))
    with pytest.raises(UsageError, match=r"no systemd runs here, so nothing was installed; .* doctor --alert"):
        services.install(settings, PROGRAM, systemd=tmp_path / "none")
    assert not (tmp_path / "units").exists()


def test_what_systemd_refuses_is_said(settings: Settings, tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "refuse").touch()
    with pytest.raises(ConfigurationError, match="daemon-reload failed: no"):
        Services(tmp_path / "units", ("systemctl",)).install(settings, PROGRAM, systemd=tmp_path)


def test_root_installs_for_the_machine_and_others_for_themselves(tmp_path: Path) -> None:
    assert Services.of(0, tmp_path) == Services(Path("/etc/systemd/system"), ("systemctl",))
    assert Services.of(1000, tmp_path).directory == tmp_path / ".config/systemd/user"


def test_no_secret_stands_in_a_unit_and_odd_paths_are_written_as_systemd_reads_them(tmp_path: Path) -> None:
    settings = Settings(RUSTBUCKET_HOME=tmp_path / "100% home", ANTHROPIC_API_KEY="sk-ant-canary", SENTRY_DSN="hunter2")
    text = "".join(units(settings, PROGRAM).values())
    assert "sk-ant" not in text
    assert "hunter2" not in text
    assert "100%% home/service.env" in text
    with pytest.raises(UsageError, match="can't stand in a unit"):
        units(Settings(RUSTBUCKET_HOME=tmp_path / 'a"b'), PROGRAM)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd isn't installed here")
def test_systemd_takes_the_units(settings: Settings, tmp_path: Path) -> None:
    for name, text in units(settings, Path("/bin/true")).items():
        (tmp_path / name).write_text(text)
    checked = subprocess.run(["systemd-analyze", "verify", str(tmp_path / UP), str(tmp_path / TIMER)], check=False)
    assert checked.returncode == 0
