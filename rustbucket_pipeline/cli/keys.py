"""`rustbucket keys`: the keys of the home, shown without their secrets, and rotated."""

import typer

from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, print_json, print_table, say
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage import rotation
from rustbucket_pipeline.storage.secrets import key_names, source_of_keys
from rustbucket_pipeline.storage.signing import public_key

app = typer.Typer(
    help="The keys of the home: what signs the archive's manifests, what encrypts tokens.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.command()
def show(as_json: bool = JsonOption) -> None:
    """The public key of the manifests' signatures, and the keys of tokens by name; no secret is ever printed.

    Keep the public key elsewhere: with it, anybody can check who signed `manifests/` in the archive.

    Example: `rustbucket keys show`
    """
    settings = load_settings()
    signing, names, where = public_key(settings), key_names(settings), source_of_keys(settings)
    if as_json:
        print_json({"manifests_public_key": signing, "token_keys": names, "token_keys_from": where})
        return
    rows = [("manifests' public key (Ed25519)", signing)]
    rows += [("token key, newest" if name == names[0] else "token key, older", name) for name in names]
    print_table(("key", "value"), [*rows, ("token keys from", where)])


@app.command()
def rotate(as_json: bool = JsonOption) -> None:
    """Encrypt every stored token under a new key; old keys are kept until that is done.

    With keys in `RUSTBUCKET_SECRET_KEYS`: put a new one in front first, and take the old ones out afterwards.

    Example: `rustbucket keys rotate`
    """
    with opened() as (engine, settings):
        rotated = rotation.rotate(engine, settings)
    newest, where = key_names(settings)[0], source_of_keys(settings)
    if as_json:
        print_json({"tokens": rotated.tokens, "newest_key": newest, "token_keys_from": where})
        return
    say(f"{rotated.tokens} tokens are encrypted under {newest}, the newest key of {where}")
    if settings.secret_keys[1:]:
        say("the older keys of RUSTBUCKET_SECRET_KEYS can go now")
