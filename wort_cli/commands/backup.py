"""`wort backup`: copies the ledger while the daemon and other commands use it, or puts such a copy in its place."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wort_cli.commands.shared.arguments.options import JsonOption, NoHeaderOption, ReplaceOption
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BYTES, COUNT, PATH, Document, Field
from wort_cli.commands.shared.showing.printing import print_document, print_facts
from wort_cli.errors import NoSuchFile, UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings, load_settings

if TYPE_CHECKING:
    from wort_cli.upkeep.backups import Backup

DOCUMENT = Document(
    "backup",
    "What the copy contains that was made or restored.",
    head=(
        Field("path", PATH, "The file of the copy"),
        Field("size", BYTES, "Its size"),
        Field("version", COUNT, "The version of its schema"),
        Field("jobs", COUNT, "The number of jobs"),
        Field("live", COUNT, "Those that have not ended"),
        Field("signatures", COUNT, "The number of signatures in the catalog"),
        Field("submissions", COUNT, "The number of submissions"),
        Field("replaced", PATH, "Where the ledger is that a restored copy replaced", optional=True),
    ),
)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, or to restore.")],
    restore: Annotated[
        bool, typer.Option("--restore", help="Put the ledger in FILE in place of the present one, which is renamed.")
    ] = False,
    force: ReplaceOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Copy the ledger into a file; the daemon may keep running.

    With --restore, put such a copy in place of the ledger. The daemon must not be running.
    """
    settings = load_settings()
    if restore:
        restore_ledger(settings, file.absolute(), as_json=as_json, header=not no_header)
        return
    from wort_cli.upkeep.backups import back_up

    if not settings.ledger_file.exists():
        raise NoSuchFile(settings.ledger_file, "there is no ledger yet")
    target = file.absolute()
    ledger_files = [settings.ledger_file.with_name(f"{settings.ledger_file.name}{end}") for end in ("", "-wal", "-shm")]
    if any(target == own or (target.exists() and own.exists() and target.samefile(own)) for own in ledger_files):
        raise UsageError(f"{shown(str(file), 200)} is the ledger itself", "name another file")
    if target.exists() and not target.is_file():
        raise UsageError(f"{shown(str(file), 200)} is not a file")
    if target.exists() and not force:
        raise UsageError(f"{shown(str(file), 200)} already exists", "replace it with --force")
    if not target.parent.is_dir():
        raise UsageError(f"there is no directory {target.parent}")
    ledger = Ledger(settings.ledger_file)
    copy = back_up(ledger, target)
    ledger.close()
    show(copy, None, as_json=as_json, header=not no_header)


def restore_ledger(settings: Settings, file: Path, *, as_json: bool, header: bool) -> None:
    """Put a backup in place of the ledger, and show it."""
    from wort_cli.upkeep.replace_ledger import restore_backup

    if not file.is_file():
        raise NoSuchFile(file)
    if file.samefile(settings.ledger_file) if settings.ledger_file.exists() else False:
        raise UsageError(f"{shown(str(file), 200)} is the ledger itself", "name a backup of it")
    backup, replaced = restore_backup(settings, file)
    show(backup, replaced, as_json=as_json, header=header)
    if replaced is not None:
        render.notice(f"the ledger of before is {replaced}")
    render.notice("`wort doctor --repair` enters signatures that were computed after the backup")


def show(copy: "Backup", replaced: Path | None, *, as_json: bool, header: bool) -> None:
    """Show what a backup contains, and where the ledger is that it replaced."""
    if as_json:
        print_document(
            DOCUMENT, {**vars(copy), "path": str(copy.path), "replaced": str(replaced) if replaced else None}
        )
    else:
        print_facts(
            {
                "file": copy.path,
                "size": format_bytes(copy.size),
                "version": copy.version,
                "jobs": f"{copy.jobs:,}, {copy.live:,} unfinished",
                "signatures": f"{copy.signatures:,}",
                "submissions": f"{copy.submissions:,}",
            },
            header=header,
        )
