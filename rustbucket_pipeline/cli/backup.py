"""`rustbucket backup`: take one, list them, prove one by restoring it beside production, bring one back."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from rustbucket_pipeline.cli.opening import opened, ready_settings
from rustbucket_pipeline.cli.output import JsonOption, errors, print_json, print_table, say
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.retention_settings import COMPONENTS
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.signing import public_key
from rustbucket_pipeline.upkeep.backup import backup_warning, make_backup
from rustbucket_pipeline.upkeep.backup_manifest import BackupManifest, Found, backup_named, backups
from rustbucket_pipeline.upkeep.backup_seal import Identity, own_identity, read_identity

app = typer.Typer(
    help="Backups of the databases, the settings and the home's keys; archived logs are in the archive already.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Name = Annotated[str, typer.Argument(metavar="[NAME]", help="Which; without it the newest.", show_default=False)]
SignedBy = Annotated[
    str, typer.Option(metavar="KEY", help="Another home's public key, whose signature is believed instead of ours.")
]
IdentityFile = Annotated[
    Path | None, typer.Option("--identity", help="File with the key that opens it; without it the home's `backup.key`.")
]


@app.command(name="list")
def list_(signed_by: SignedBy = "", as_json: bool = JsonOption) -> None:
    """Every backup in the archive, newest first. Times are UTC.

    Example: `rustbucket backup list --json`
    """
    settings = ready_settings()
    found = backups(open_archive(settings), signed_by or public_key(settings))
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    print_table(
        ("backup", "made", "bytes", "rows", "sealed", "good until", "wrong"), (_row(settings, one) for one in found)
    )
    if not found:
        say("No backup yet; `rustbucket backup create` makes one, and `rustbucket up` one a day.")


@app.command()
def create(as_json: bool = JsonOption) -> None:
    """Back up now what is backed up every day.

    Example: `rustbucket backup create`
    """
    with opened() as (_, settings), _progress() as progress:
        made = make_backup(settings, open_archive(settings), datetime.now(UTC), progress.update)
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    say(f"backup {made.name}: {made.bytes:,} bytes, signed; `rustbucket backup verify` proves it")
    if warning := backup_warning(settings):
        errors.print(f"note: {warning}", soft_wrap=True)


@app.command()
def verify(
    name: Name = "",
    components: Annotated[
        str, typer.Option(help=f"What to look at, separated by commas, of {', '.join(COMPONENTS)}.")
    ] = "",
    identity: IdentityFile = None,
    signed_by: SignedBy = "",
    as_json: bool = JsonOption,
) -> None:
    """Restore a backup beside production, and compare rows, checksums, the logs' chain and the archived segments.

    Production isn't touched. The exit code is 1 if anything differs.

    Example: `rustbucket backup verify --components objects,restore,rows`
    """
    from rustbucket_pipeline.upkeep.verification import verify_backup

    now = datetime.now(UTC)
    with opened() as (engine, settings), _progress() as progress:
        archive = open_archive(settings)
        found = backup_named(archive, name, signed_by or public_key(settings))
        chosen, openers, week = (
            _components(settings, components),
            _identities(settings, identity),
            now.isocalendar().week,
        )
        verified = verify_backup(settings, archive, engine, found, chosen, openers, week, progress.update)
    if as_json:
        print_json(asdict(verified))
    else:
        for problem in verified.problems:
            say(f"✗ {problem}", style="red")
        looked = f"{verified.tables:,} tables of {verified.rows:,} rows, {verified.segments:,} segments"
        if verified.problems:
            say(f"✗ backup {verified.name} is not as it should be")
        else:
            say(
                f"✓ backup {verified.name}: {', '.join(verified.components)} as they should be ({looked})",
                style="green",
            )
    raise typer.Exit(1 if verified.problems else 0)


@app.command()
def restore(
    into: Annotated[Path, typer.Option(help="The new home: a directory that doesn't exist yet.", show_default=False)],
    name: Name = "",
    identity: IdentityFile = None,
    signed_by: SignedBy = "",
    as_json: bool = JsonOption,
) -> None:
    """Make a new home of a backup, with a server of its own. What is in use isn't touched.

    Archived logs stay where `RUSTBUCKET_ARCHIVE_URL` has them. Rows newer than the backup are built again from there.

    Example: `rustbucket backup restore --into /srv/rustbucket-restored --identity key.txt`
    """
    from rustbucket_pipeline.upkeep.restore import restore_home

    settings = ready_settings()
    archive = open_archive(settings)
    found = backup_named(archive, name, signed_by or public_key(settings))
    if found.manifest is None:
        raise UsageError(f"backup {found.name} can't be believed: {found.wrong}; `rustbucket backup list` shows others")
    with _progress() as progress:
        restored = restore_home(
            settings, archive, found.manifest, _identities(settings, identity), into, progress.update
        )
    if as_json:
        print_json({"backup": found.name, "home": restored.home, "archive": archive.url})
        return
    say(f"backup {found.name} is restored in {restored.home}; to use it, set")
    say(f"RUSTBUCKET_HOME={restored.home} RUSTBUCKET_ARCHIVE_URL={archive.url}, and unset RUSTBUCKET_DATABASE_URL")


def _progress() -> Status:
    """What is being done, on a terminal only."""
    return errors.status("opening")


def _components(settings: Settings, written: str) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in written.split(",") if part.strip()) or settings.backup_components
    if unknown := [one for one in chosen if one not in COMPONENTS]:
        raise UsageError(f"no component {unknown[0]!r}; there are {', '.join(COMPONENTS)}")
    return chosen


def _identities(settings: Settings, file: Path | None) -> list[Identity]:
    return [own_identity(settings) if file is None else read_identity(file)]


def _row(settings: Settings, found: Found) -> tuple[object, ...]:
    made = found.manifest
    if made is None:
        return found.name, None, None, None, None, None, found.wrong
    sealed = "yes" if made.sealed_for else "NO"
    return (
        found.name,
        made.made_at,
        f"{made.bytes:,}",
        f"{_rows(made):,}",
        sealed,
        made.made_at + settings.backups_keep,
        "",
    )


def _rows(made: BackupManifest) -> int:
    return sum(table.rows for database in made.databases for table in database.tables.values())


def _as_json(found: Found) -> dict[str, object]:
    made = found.manifest
    return {
        "name": found.name,
        "wrong": found.wrong,
        "made_at": made.made_at if made else None,
        "bytes": made.bytes if made else None,
        "rows": _rows(made) if made else None,
        "sealed_for": made.sealed_for if made else None,
    }
