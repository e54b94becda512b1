"""Secrets at rest: readable by holders of a key only, through rotations, and by however many come first."""

import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest
from cryptography.fernet import Fernet

from rustbucket_pipeline.errors import ConfigurationError, IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.secrets import decrypt, encrypt

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()

ENCRYPT = """
import sys
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.secrets import encrypt
print(encrypt(Settings(RUSTBUCKET_HOME=sys.argv[1]), "token").hex())
"""


def with_keys(home: Path, *keys: str) -> Settings:
    return Settings(RUSTBUCKET_HOME=home, RUSTBUCKET_SECRET_KEYS=",".join(keys))


def test_the_first_key_is_made_in_the_home_and_kept(tmp_path: Path) -> None:
    settings = Settings(RUSTBUCKET_HOME=tmp_path)
    data = encrypt(settings, "geheim ✓")
    assert b"geheim" not in data
    assert decrypt(settings, data) == "geheim ✓"
    assert stat.S_IMODE((tmp_path / "secret.keys").stat().st_mode) == 0o600


def test_processes_that_make_the_first_key_at_once_read_each_other(
    tmp_path: Path, python: Callable[..., Popen[str]]
) -> None:
    processes = [python(ENCRYPT, tmp_path / "home") for _ in range(4)]
    secrets = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert {decrypt(Settings(RUSTBUCKET_HOME=tmp_path / "home"), bytes.fromhex(text)) for text in secrets} == {"token"}


def test_a_new_key_in_front_reads_what_the_old_one_wrote(tmp_path: Path) -> None:
    data = encrypt(with_keys(tmp_path, OLD), "token")
    assert decrypt(with_keys(tmp_path, NEW, OLD), data) == "token"


def test_a_secret_without_its_key_is_said_to_be_one_and_not_shown(tmp_path: Path) -> None:
    data = encrypt(with_keys(tmp_path, OLD), "token")
    with pytest.raises(IntegrityError, match="RUSTBUCKET_SECRET_KEYS") as error:
        decrypt(with_keys(tmp_path, NEW), data)
    assert NEW not in str(error.value)


def test_a_malformed_key_is_named_by_its_place_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="RUSTBUCKET_SECRET_KEYS") as error:
        encrypt(with_keys(tmp_path, "hush"), "token")
    assert "hush" not in str(error.value)
