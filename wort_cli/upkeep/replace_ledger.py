"""Replaces the ledger: a damaged one with the newest sound backup, or any with the backup that the user names.

A ledger is damaged only if SQLite says so twice, the second time while no other process uses the file.  The old file
is renamed, never deleted, together with its write-ahead log, which would damage the new one.  What is newer than the
backup is copied from the damaged file, as far as that can be read (merge_ledger.py).
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wort_cli.errors import DaemonAlreadyRunning, LedgerDamaged, WortError
from wort_cli.ledger.database import check_unused
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.daemon_lock import acquire_lock, running_daemon
from wort_cli.upkeep.backups import Backup, newest_sound_backup, read_backup
from wort_cli.upkeep.ledger_checks import record_repair
from wort_cli.upkeep.leftovers import names_in
from wort_cli.upkeep.merge_ledger import merge_ledger


def find_damage(settings: Settings) -> str:
    """Return what is wrong with the ledger's file; empty if it is sound, or there never was one.

    Raises StorageProblem if that cannot be found out: for example, because the file system cannot lock the file.
    """
    path = settings.ledger_file
    if not path.exists():
        return "it is missing" if newest_sound_backup(settings.backup_dir) else ""
    ledger = Ledger(path)
    try:
        answer = ledger.check()
    except LedgerDamaged as error:
        return error.sentence
    finally:
        ledger.close()
    return "" if answer == "ok" else answer


def replace_ledger(settings: Settings) -> Iterator[str]:
    """Rename the damaged ledger and put a sound one in its place; yield a sentence for each action.

    Yields nothing if the ledger is sound after all.  Raises WortError if a daemon or another process uses it, or if it
    cannot be locked.
    """
    with no_daemon(settings, "the ledger's file is damaged, and cannot", "`wort doctor --repair`"):
        check_unused(settings.ledger_file)
        if not find_damage(settings):
            return
        damaged = rename_ledger(settings.ledger_file, "damaged")
        if damaged is not None:
            yield f"renamed the damaged ledger to {damaged}"
        backup = newest_sound_backup(settings.backup_dir)
        if backup is not None:
            copy_backup(backup, settings.ledger_file)
            yield f"restored the backup {backup.path}: {backup.jobs} jobs, {backup.signatures} signatures"
        else:
            yield "there is no sound backup: created an empty ledger"
        with opened(settings) as ledger:
            for table in merge_ledger(damaged, ledger.storage) if damaged else ():
                yield f"from the damaged ledger, {table}"
            record_repair(ledger, "", f"the ledger was replaced; the damaged one is {damaged}")


def restore_backup(settings: Settings, file: Path) -> tuple[Backup, Path | None]:
    """Put a copy of a backup in place of the ledger; return the backup, and the new name of the old ledger if any.

    Raises WortError if a daemon or another process uses the ledger, LedgerDamaged if the backup is not sound.
    """
    backup = read_backup(file)
    with no_daemon(settings, "the ledger cannot", f"`wort backup --restore {file}`"):
        check_unused(settings.ledger_file)
        replaced = rename_ledger(settings.ledger_file, "replaced")
        copy_backup(backup, settings.ledger_file)
        with opened(settings) as ledger:
            record_repair(ledger, "", f"the backup {file} was restored; the replaced ledger is {replaced}")
    return backup, replaced


def copy_backup(backup: Backup, ledger_file: Path) -> None:
    """Put a copy of a backup in place of the ledger, which must have been renamed."""
    with backup.path.open("rb") as source, atomic_file(ledger_file) as file:
        os.fchmod(file.fileno(), 0o600)
        shutil.copyfileobj(source, file)


@contextmanager
def opened(settings: Settings) -> Iterator[Ledger]:
    """Open the new ledger, in which no new job gets the number of one that has a log or a workspace."""
    ledger = Ledger(settings.ledger_file)
    try:
        ledger.storage.change("raise_last_job_id", number=highest_job_id(settings))
        yield ledger
    finally:
        ledger.close()


@contextmanager
def no_daemon(settings: Settings, what: str, command: str) -> Iterator[None]:
    """Keep daemons from starting; raise WortError if one is running."""
    refused = WortError(f"{what} be replaced while the daemon runs", f"`wort daemon stop`, then {command}")
    if running_daemon(settings.lock_file) is not None:
        raise refused
    settings.make_directories()
    try:
        lock = acquire_lock(settings.lock_file)
    except DaemonAlreadyRunning:
        raise refused from None
    try:
        yield
    finally:
        lock.close()


def rename_ledger(path: Path, why: str) -> Path | None:
    """Rename the ledger with its WAL and shared-memory files; return the new path, None if there is no ledger."""
    renamed = path.with_name(f"{path.name}.{why}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    for suffix in ("-wal", "-shm", ""):
        file = path.with_name(f"{path.name}{suffix}")
        if file.exists():
            file.rename(renamed.with_name(f"{renamed.name}{suffix}"))
    return renamed if renamed.exists() else None


def highest_job_id(settings: Settings) -> int:
    """Return the highest number of a job that has a log or a workspace.  No new job may get such a number."""
    logs = settings.log_dir / "jobs"
    names = [name.removesuffix(".log") for folder in names_in(logs)[-2:] for name in names_in(logs / folder)]
    return max((int(name) for name in (*names, *names_in(settings.work_dir)) if name.isdecimal()), default=0)
