"""`wort ls`: lists the signatures of the catalog, one a line."""

from typing import Annotated, Any

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.options import JsonOption, SelectGroupOption
from wort_cli.commands.shared.selection import check_group, open_home_to_read
from wort_cli.errors import UsageError, shown
from wort_cli.ledger.catalog import ListedSignature
from wort_cli.model.profile import profile_named
from wort_cli.model.provenance import Trust
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings

COLUMNS = ("name", "trust", "k", "bases", "size", "computed", "file")
SHOWN = 1000
"""Signatures that a terminal shows; a pipe gets all."""


def ls(
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="Names to list, such as SRR139*; * and ? stand for other letters.")
    ] = "",
    group: SelectGroupOption = "",
    trust: Annotated[
        str, typer.Option("--trust", metavar="TRUST", help="Only signatures of this trust, such as computed.")
    ] = "",
    paths: Annotated[
        bool, typer.Option("--paths", help="Print only the paths of the files in the local store.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List signatures: name, trust, k, bases of the reads, size of the file, time, and file.

    Signatures that only the bucket has are listed with their URL, and not with --paths.

    \b
    Examples:
      wort ls 'SRR139*'
      wort ls --paths -g plankton | xargs sourmash sig describe
    """
    if paths and as_json:
        raise UsageError("--paths and --json exclude each other")
    settings, ledger = open_home_to_read()
    check_group(ledger, group)
    listed = ledger.catalog.listed(
        profile_named(settings.profile).name, pattern, group=group, trust=parse_trust(trust), local=paths
    )
    if paths:
        root = settings.store_dir
        for one in listed:
            render.result(f"{root}/{one.path}")
        return
    if as_json:
        render.json_list(record(one, settings) for one in listed)
        return
    if not render.is_terminal():
        render.table(COLUMNS, (line(one, settings, number=str, size=str) for one in listed))
        return
    rows: list[dict[str, str]] = []
    for one in listed:
        if len(rows) == SHOWN:
            render.notice(f"and more than {SHOWN:,}; give a pattern, or send the list to a pipe")
            break
        rows.append(line(one, settings, number="{:,}".format, size=format_bytes))
    render.table(COLUMNS, rows)
    if not rows:
        render.notice("there are no such signatures")


def parse_trust(text: str) -> Trust | None:
    """Return a trust, or None for empty text; UsageError lists the levels."""
    try:
        return Trust(text) if text else None
    except ValueError:
        raise UsageError(f"there is no trust {shown(text)}", f"the levels are: {', '.join(Trust)}") from None


def location(one: ListedSignature, settings: Settings) -> str:
    """Return the path of a signature, or the URL of one that only the bucket has."""
    return str(settings.store_dir / one.path) if one.path else one.remote


def line(one: ListedSignature, settings: Settings, number: Any, size: Any) -> dict[str, str]:
    """Return a signature for a person or a pipe."""
    return {
        "name": one.name,
        "trust": one.trust,
        "k": ",".join(map(str, one.ksizes)),
        "bases": number(one.bases) if one.bases else "",
        "size": size(one.size),
        "computed": render.local_time(one.created_at),
        "file": location(one, settings),
    }


def record(one: ListedSignature, settings: Settings) -> dict[str, Any]:
    """Return a signature for a program: numbers, and the time in ISO 8601."""
    return {
        "name": one.name,
        "profile": one.profile,
        "trust": one.trust,
        "k": list(one.ksizes),
        "bases": one.bases or None,
        "size": one.size,
        "created_at": render.iso_time(one.created_at),
        "digest": one.digest,
        "path": str(settings.store_dir / one.path) if one.path else None,
        "url": one.remote or None,
    }
