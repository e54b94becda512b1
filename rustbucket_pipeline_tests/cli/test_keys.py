"""`rustbucket keys`: no secret is printed, none is lost by rotating."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, insert, select

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.rotation import rotate
from rustbucket_pipeline.storage.secrets import add_key, decrypt, encrypt
from rustbucket_pipeline.storage.signing import public_key
from rustbucket_pipeline.storage.tables import rustbuckets
from rustbucket_pipeline_tests.archive.fleet_on_disk import NINE
from rustbucket_pipeline_tests.cli.conftest import Command


def store(database: Engine, settings: Settings) -> None:
    with database.begin() as connection:
        for number in (1, 2):
            row = {"id": f"BKT{number}", "name": "x", "status": "active", "registered_at": NINE}
            connection.execute(insert(rustbuckets).values(**row, token=encrypt(settings, f"token-{number}")))
        connection.execute(insert(rustbuckets).values(id="BKT3", name="x", status="active", registered_at=NINE))


def tokens(database: Engine, settings: Settings) -> list[str | None]:
    with database.connect() as connection:
        kept = connection.execute(select(rustbuckets.c.token).order_by(rustbuckets.c.id)).scalars()
        return [decrypt(settings, token) if token else None for token in kept]


def test_the_public_key_and_the_names_of_the_others_are_shown_and_no_secret(
    settings: Settings, command: Command
) -> None:
    shown = command("keys", "show")
    document = json.loads(command("keys", "show", "--json").out)
    assert document["manifests_public_key"] == public_key(settings)
    assert document["token_keys_from"] == str(settings.home / "secret.keys")
    assert document["manifests_public_key"] in shown.out
    assert document["token_keys"][0] in shown.out
    for file in ("secret.keys", "signing.key"):
        secret = (settings.home / file).read_text(encoding="utf-8").strip()
        assert secret not in shown.out + shown.err + json.dumps(document)


def test_rotation_makes_a_new_key_and_every_token_comes_under_it(
    database: Engine, settings: Settings, command: Command
) -> None:
    store(database, settings)
    file = settings.home / "secret.keys"
    before = file.read_text(encoding="utf-8")
    ran = command("keys", "rotate")
    assert (ran.code, ran.out[:24]) == (0, "2 tokens are encrypted u")
    after = file.read_text(encoding="utf-8")
    assert before.strip() not in after
    assert len(after.split()) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert tokens(database, settings) == ["token-1", "token-2", None]


def test_a_rotation_that_fails_loses_nothing_and_the_next_one_goes_through(
    database: Engine, settings: Settings
) -> None:
    store(database, settings)
    file = settings.home / "secret.keys"
    mine = file.read_text(encoding="utf-8")
    with database.begin() as connection:
        foreign = Fernet(Fernet.generate_key()).encrypt(b"whose?")
        connection.execute(
            insert(rustbuckets).values(id="BKT9", name="x", status="active", registered_at=NINE, token=foreign)
        )
    with pytest.raises(IntegrityError):
        rotate(database, settings)
    assert mine.strip() in file.read_text(encoding="utf-8").split()
    with database.begin() as connection:
        connection.execute(rustbuckets.delete().where(rustbuckets.c.id == "BKT9"))
    assert tokens(database, settings) == ["token-1", "token-2", None]
    assert rotate(database, settings).tokens == 2
    assert len(file.read_text(encoding="utf-8").split()) == 1
    assert tokens(database, settings) == ["token-1", "token-2", None]


def test_what_was_left_by_a_kill_in_between_is_read_and_rotated(database: Engine, settings: Settings) -> None:
    store(database, settings)
    add_key(settings)
    assert tokens(database, settings) == ["token-1", "token-2", None]
    rotate(database, settings)
    assert tokens(database, settings) == ["token-1", "token-2", None]


def test_keys_of_the_environment_stay_there_and_the_first_one_counts(
    database: Engine, settings: Settings, tmp_path: Path
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()

    def holding(*keys: str) -> Settings:
        return Settings(RUSTBUCKET_HOME=tmp_path / "other", RUSTBUCKET_SECRET_KEYS=",".join(keys))

    store(database, holding(old))
    assert rotate(database, holding(new, old)).tokens == 2
    assert tokens(database, holding(new)) == ["token-1", "token-2", None]
    assert not (tmp_path / "other" / "secret.keys").exists()
