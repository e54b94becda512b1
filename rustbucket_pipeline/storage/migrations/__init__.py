"""The schema's history, applied by Alembic: `versions/NNNN_what.py`, one after the other, expand before contract.

A revision's id is its file's number, so which one is newest is known without loading Alembic. The version of the
code before must still run on a newer schema: add first, remove a release later.
"""

from importlib import resources
from pathlib import Path

from sqlalchemy import Connection, text

HERE = Path(__file__).parent


def head() -> str:
    """The newest revision, e.g. `0001`."""
    return max(path.name[:4] for path in (HERE / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def revision(connection: Connection) -> str | None:
    """The revision the database is at; None when it has no schema of ours."""
    known = connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one()
    if not known:
        return None
    return connection.execute(text("SELECT max(version_num) FROM alembic_version")).scalar_one()


def to_head(connection: Connection) -> None:
    """Apply what is missing, in the connection's transaction; nothing when the schema is newest."""
    if (revision(connection) or "") >= head():
        return
    from alembic import command  # imported here: 0.2 s that only an upgrade pays
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def statements(name: str) -> str:
    """The statements of `sql/<name>.sql`, for the driver as they are."""
    return resources.files(__name__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
