"""`wort backup`: a copy of the ledger, made while everything goes on."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import JsonOption
from wort_cli.errors import NoSuchFile, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.units import format_bytes
from wort_cli.settings import load_settings


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy is to be.")],
    force: Annotated[bool, typer.Option("-f", "--force", help="Replace a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy the ledger into a file, while the daemon and commands go on."""
    from wort_cli.upkeep.backups import copy_ledger

    settings = load_settings()
    if not settings.ledger_file.exists():
        raise NoSuchFile(settings.ledger_file, "there is no ledger yet")
    target = file.absolute()
    companions = [settings.ledger_file.with_name(f"{settings.ledger_file.name}{end}") for end in ("", "-wal", "-shm")]
    if any(target == other or (target.exists() and other.exists() and target.samefile(other)) for other in companions):
        raise UsageError(f"{file} is the ledger itself", "name another file")
    if target.exists() and not target.is_file():
        raise UsageError(f"{file} is not a file")
    if target.exists() and not force:
        raise UsageError(f"{file} is there already", "use --force to replace it")
    if not target.parent.is_dir():
        raise UsageError(f"there is no directory {target.parent}")
    ledger = Ledger(settings.ledger_file)
    made = copy_ledger(ledger, target)
    ledger.close()
    if as_json:
        render.document(asdict(made))
    else:
        render.facts(
            {
                "file": made.path,
                "size": format_bytes(made.size),
                "version": made.version,
                "jobs": f"{made.jobs:,}, {made.live:,} of them to be done",
                "signatures": f"{made.signatures:,}",
                "submissions": f"{made.submissions:,}",
            }
        )
