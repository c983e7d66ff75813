"""`wort profile`: the profiles, and the definition of new ones in config.toml."""

from typing import Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import DryRunOption, JsonOption, NoHeaderOption
from wort_cli.commands.shared.arguments.profiles import FIELDS, chosen_profile, record_of
from wort_cli.commands.shared.arguments.selection import open_home_to_read
from wort_cli.commands.shared.configuring import config_change
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BOOLEAN, PATH, PROSE, Document, Field
from wort_cli.commands.shared.showing.printing import Form, print_document, print_facts, print_records
from wort_cli.errors import SettingsError, UsageError
from wort_cli.model.profile import MOLTYPES, PROFILES, Profile
from wort_cli.system.config_file import PROFILES_TABLE, with_profile

RECIPE = Field("recipe", PROSE, "The commands that make the same signature")
LIST = Document(
    "profile ls",
    "The profiles.",
    rows="profiles",
    row=(*FIELDS, RECIPE),
    columns=("name", "k", "scaled", "abund", "moltype", "seed", "origin", "used_at", "signatures"),
)
SHOWN = Document("profile show", "A profile.", head=(*FIELDS, RECIPE))
ADDED = Document(
    "profile add",
    "The profile that was defined.",
    head=(
        Field("path", PATH, "The configuration file"),
        Field("dry_run", BOOLEAN, "Whether nothing was changed"),
        *FIELDS,
        RECIPE,
    ),
)
app = typer.Typer(help="Show and define profiles: the parameter sets of signatures.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of the profile.")]


@app.command("ls")
def list_profiles(as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """List the profiles.

    These are the ones that are built in, that config.toml defines, or that were used.
    """
    settings, ledger = open_home_to_read()
    used = ledger.profiles.all()
    known = {profile.name: profile for profile in (*used, *settings.profiles.values(), *PROFILES.values())}
    times = {profile.name: at for profile, at in used.items()}
    rows = [
        {**record_of(known[name], times.get(name), settings, ledger), "recipe": recipe_of(known[name])}
        for name in (*PROFILES, *sorted(set(known) - set(PROFILES)))
    ]
    print_records(LIST, rows, Form.of(as_json=as_json), header=not no_header)
    for profile in used:
        if settings.profiles.get(profile.name, profile) != profile:
            render.notice(f"{profile.name}: its definition has changed since it was used: `wort profile show` says how")


@app.command()
def show(name: NameArgument, as_json: JsonOption = False, no_header: NoHeaderOption = False) -> None:
    """Show a profile, and the commands that make the same signature."""
    settings, ledger = open_home_to_read()
    profile = chosen_profile(name, settings, ledger)
    used_at = ledger.profiles.all().get(profile) if name not in PROFILES else None
    record = {**record_of(profile, used_at, settings, ledger), "recipe": recipe_of(profile)}
    print_one(SHOWN, record, as_json=as_json, header=not no_header)


@app.command()
def add(
    name: NameArgument,
    ksizes: Annotated[
        list[int],
        typer.Option("-k", "--ksize", metavar="K", min=1, help="A k, as `sourmash sketch -p` takes it; repeatable."),
    ],
    scaled: Annotated[int, typer.Option("--scaled", metavar="N", min=1, help="Keep one in N hashes.")],
    abund: Annotated[bool, typer.Option("--abund/--no-abund", help="Count abundances.")] = False,
    moltype: Annotated[
        str, typer.Option("--moltype", metavar="MOLTYPE", help=f"The molecule: {', '.join(MOLTYPES)}.")
    ] = "dna",
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="The seed of the hashes.")] = 42,
    decode_flags: Annotated[
        str | None,
        typer.Option(
            "--decode-flags",
            metavar="FLAGS",
            help="Those of --skip-technical, --read-filter pass and --clip to decode with (default: all).",
        ),
    ] = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Define a profile in config.toml.

    A profile that was used never changes: other parameters need another name.

    \b
    Examples:
      wort profile add fine -k 31 --scaled 100 --abund
      wort profile add aa -k 7 -k 10 --scaled 200 --abund --moltype protein
    """
    settings, ledger = open_home_to_read()
    if name in PROFILES or name in settings.profiles:
        where = "is built in" if name in PROFILES else f"is defined in {settings.config_file}"
        raise UsageError(f"the profile {name} {where}", "give the new one another name")
    definition: dict[str, Any] = {"k": list(ksizes), "scaled": scaled, "abund": abund, "moltype": moltype, "seed": seed}
    if decode_flags is not None:
        definition["decode_flags"] = decode_flags.split()
    try:
        profile = Profile.from_json(name, definition)
    except ValueError as error:
        raise UsageError(f"this cannot be a profile: {error}") from None
    ledger.profiles.named(name, {name: profile})  # raises ProfileChanged
    if not dry_run:
        config_change.rewrite(settings.config_file, lambda content: added(content, profile, str(settings.config_file)))
    record = {**record_of(profile, None, settings, ledger), "origin": "config.toml", "recipe": recipe_of(profile)}
    record |= {"path": str(settings.config_file), "dry_run": dry_run}
    print_one(ADDED, record, as_json=as_json, header=not no_header)


def added(content: bytes, profile: Profile, file: str) -> bytes:
    """Return the text of config.toml with another profile at its end.  Raises SettingsError if that is not possible."""
    try:
        return with_profile(content.decode(), profile.name, profile.to_json()).encode()
    except ValueError as error:
        raise SettingsError(f"{PROFILES_TABLE}.{profile.name}", file, str(error)) from None


def recipe_of(profile: Profile) -> str:
    """Return the commands that make the same signature as a profile."""
    from wort_cli.reading.strict import recipe  # imports numpy

    return recipe(profile)


def print_one(document: Document, record: dict[str, Any], *, as_json: bool, header: bool) -> None:
    """Print one profile."""
    if as_json:
        print_document(document, record)
        return
    shown = [field for field in document.head if record[field.key] not in (None, "", [])]
    if render.is_terminal():
        print_facts({field.header: field.text(record[field.key]) for field in shown})
        return
    facts = {field.key: record[field.key] for field in shown}
    print_facts(facts, header=header)
