"""`wort ls`: lists the signatures of the catalog, one a line."""

from dataclasses import replace
from itertools import islice
from typing import Annotated, Any

import typer

from wort_cli.api.job_changes import check_group
from wort_cli.commands.shared.arguments.options import (
    JsonOption,
    NoHeaderOption,
    PatternArgument,
    ProfileOption,
    SelectGroupOption,
    ShowAllOption,
    TrustOption,
    WhereOption,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home_to_read, parse_trust, parse_where
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    BASES,
    BYTES,
    DATE,
    ID,
    NUMBER,
    PATH,
    PATH_FIELD,
    PATH_IF_SPACE,
    TEXT,
    Document,
    Field,
    list_of,
    one_of,
)
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import UsageError
from wort_cli.ledger.catalog import ListedSignature
from wort_cli.ledger.listing import PAGE
from wort_cli.model.profile import listed_with
from wort_cli.model.provenance import Trust
from wort_cli.model.units import iso_time
from wort_cli.settings import Settings

DOCUMENT = Document(
    "ls",
    "The signatures of the catalog.",
    rows="signatures",
    row=(
        Field("name", ID, "The name of the signature"),
        Field("trust", one_of(Trust), "How far the signature is trusted"),
        Field("k", list_of(NUMBER), "The k of its sketches"),
        Field("bases", BASES, "The length of all reads together", optional=True),
        Field("size", BYTES, "The size of the file"),
        Field("created_at", DATE, "When the catalog recorded it", title="recorded"),
        replace(PATH_FIELD, kind=PATH_IF_SPACE),
        Field("where", one_of(("local", "bucket")), "Whether the local store has it, or the bucket only"),
        Field("url", PATH, "Its URL in the bucket, if it was seen there", optional=True),
        Field("profile", TEXT, "The profile"),
        Field("digest", ID, "The digest of its content"),
    ),
    columns=("name", "trust", "k", "bases", "size", "created_at", "path"),
)
SHOWN = 50
"""Signatures that a terminal shows without --all; a pipe gets all."""


def ls(
    pattern: PatternArgument = "",
    group: SelectGroupOption = "",
    trust: TrustOption = "",
    profile: ProfileOption = "",
    where: WhereOption = None,
    paths: Annotated[
        bool, typer.Option("--paths", help="Print only the paths of the files in the local store.")
    ] = False,
    everything: ShowAllOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """List signatures, one a line.

    Shows name, trust, k, bases of the reads, size of the file, day of the record, and path. A narrow terminal has no
    space for the paths: see --paths.

    Signatures that only the bucket has are listed with their URL, and not with --paths.

    \b
    Examples:
      wort ls 'SRR139*'
      wort ls --where strategy=WGS --where 'bases>=1G'
      wort ls --paths -g plankton | xargs sourmash sig describe
    """
    if paths and as_json:
        raise UsageError("--paths and --json exclude each other")
    settings, ledger = open_home_to_read()
    check_group(ledger, group)
    conditions = parse_where(where, ledger)
    form = Form.of(as_json=as_json)
    shortened = form is Form.TERMINAL and not paths and not everything
    profile_name = chosen_profile(profile, settings, ledger).name
    listed = ledger.catalog.listed(
        profile_name,
        pattern,
        group=group,
        trust=parse_trust(trust),
        local=paths,
        where=conditions,
        page=SHOWN + 1 if shortened else PAGE,
    )
    if paths:
        root = settings.store_dir
        for one in listed:
            render.result(f"{root}/{one.path}")
        return
    records = (record(one, settings) for one in listed)
    if form is not Form.TERMINAL:
        print_records(DOCUMENT, records, form, header=not no_header)
        return
    rows = list(islice(records, SHOWN + 1) if shortened else records)
    print_records(DOCUMENT, rows[:SHOWN] if shortened else rows, form)
    if shortened and len(rows) > SHOWN:
        of = (
            f" of {sum(map(ledger.catalog.count, {profile_name, listed_with(profile_name)})):,}"
            if not (pattern or group or trust or where)
            else ""
        )
        render.notice(f"the first {SHOWN}{of} signatures, in order of their names; --all shows the rest")
    if not rows:
        render.notice("there are no such signatures")


def record(one: ListedSignature, settings: Settings) -> dict[str, Any]:
    """Return a signature with the keys of DOCUMENT."""
    return {
        "name": one.name,
        "trust": one.trust,
        "k": list(one.ksizes),
        "bases": one.bases or None,
        "size": one.size,
        "created_at": iso_time(one.created_at),
        "path": str(settings.store_dir / one.path) if one.path else one.remote,
        "where": "local" if one.path else "bucket",
        "url": one.remote or None,
        "profile": one.profile,
        "digest": one.digest,
    }
