"""`rustbucket fleet purge-address`: one address out of everything we keep, on request, for good."""

from dataclasses import asdict
from datetime import UTC, datetime

import typer

from rustbucket_pipeline.archive.redaction import find, redact, require_free
from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import errors, print_json, print_table, say
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.model.address_text import address_text
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.upkeep.purging import holders, purge_frozen, purge_rows


def purge(written: str, *, sure: bool, as_json: bool) -> None:
    """Look for the address, ask, overwrite it, and say what is left to do.

    Raises:
        UsageError: it is no address, or a rustbucket under a legal hold saw it.
        IntegrityError: something stored is missing or altered.
    """
    address = address_text(written)
    with opened() as (engine, settings):
        archive = open_archive(settings)
        with errors.status("looking through the archive") as status:
            found = find(engine, archive, address, lambda done, of: status.update(f"{done:,} of {of:,} segments"))
        require_free(engine, found)
        if not sure:
            typer.confirm(f"{found.segments} segments hold {address.canonical}. Overwrite it everywhere?", abort=True)
        now = datetime.now(UTC)
        redacted = redact(engine, archive, found, login(), now)
        frozen = purge_frozen(engine, archive, settings, address, now)
        rows = purge_rows(engine, address)
        left = holders(archive, settings, now)
    if as_json:
        backups = [asdict(one) for one in left]
        print_json({"segments": redacted, "frozen_days": frozen, "rows": rows, "backups": backups})
        return
    say(f"overwritten in {redacted} archived segments and {frozen} frozen days")
    print_table(("table", "rows"), sorted(rows.items()))
    if left:
        say("these backups still hold it until they expire:")
        print_table(("backup", "expires"), ((one.backup, one.expires) for one in left))
    say("at their sources logs may still hold it: delete it there, too")
