"""`wort backup`: copies the ledger while the daemon and other commands use it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.options import JsonOption
from wort_cli.errors import NoSuchFile, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.units import format_bytes
from wort_cli.settings import load_settings


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    force: Annotated[bool, typer.Option("-f", "--force", help="Replace FILE if it exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy the ledger into a file; the daemon may keep running.

    docs/how-to.md describes how to restore it.
    """
    from wort_cli.upkeep.backups import back_up

    settings = load_settings()
    if not settings.ledger_file.exists():
        raise NoSuchFile(settings.ledger_file, "there is no ledger yet")
    target = file.absolute()
    ledger_files = [settings.ledger_file.with_name(f"{settings.ledger_file.name}{end}") for end in ("", "-wal", "-shm")]
    if any(target == own or (target.exists() and own.exists() and target.samefile(own)) for own in ledger_files):
        raise UsageError(f"{file} is the ledger itself", "name another file")
    if target.exists() and not target.is_file():
        raise UsageError(f"{file} is not a file")
    if target.exists() and not force:
        raise UsageError(f"{file} already exists", "replace it with --force")
    if not target.parent.is_dir():
        raise UsageError(f"there is no directory {target.parent}")
    ledger = Ledger(settings.ledger_file)
    copy = back_up(ledger, target)
    ledger.close()
    if as_json:
        render.document(asdict(copy))
    else:
        render.facts(
            {
                "file": copy.path,
                "size": format_bytes(copy.size),
                "version": copy.version,
                "jobs": f"{copy.jobs:,}, {copy.live:,} unfinished",
                "signatures": f"{copy.signatures:,}",
                "submissions": f"{copy.submissions:,}",
            }
        )
