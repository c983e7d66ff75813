"""A ledger's file that is damaged is put aside, never deleted; the newest good copy takes its place.

Jobs that were accepted after the copy was made are taken over as far as the damaged file still tells of them.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from wort_cli.errors import DaemonAlreadyRunning, LedgerDamaged, WortError
from wort_cli.ledger.database import queries, salvage_rows
from wort_cli.ledger.jobs import EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.job import JobRequest, Source
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.daemon_lock import running_daemon, take_lock
from wort_cli.upkeep.backups import newest_good
from wort_cli.upkeep.ledger_checks import note
from wort_cli.upkeep.leftovers import names_in


def damage(settings: Settings) -> str:
    """What is wrong with the ledger's file as such; '' if it can be read, or there never was one."""
    path = settings.ledger_file
    if not path.exists():
        return "it is gone" if newest_good(settings.backup_dir) else ""
    ledger = Ledger(path)
    try:
        said = ledger.check()
    except LedgerDamaged as error:
        return error.sentence
    finally:
        ledger.close()
    return "" if said == "ok" else said


def replace_ledger(settings: Settings) -> Iterator[str]:
    """Put the damaged ledger aside and a good one in its place; says what it did.  WortError if a daemon runs."""
    if running_daemon(settings.lock_file) is not None:
        raise must_be_stopped()
    settings.make_directories()
    try:
        lock = take_lock(settings.lock_file)  # so that none starts meanwhile
    except DaemonAlreadyRunning:
        raise must_be_stopped() from None
    try:
        aside = put_aside(settings.ledger_file)
        if aside is not None:
            yield f"put the damaged ledger aside as {aside}"
        copy = newest_good(settings.backup_dir)
        if copy is not None:
            with copy.path.open("rb") as source, atomic_file(settings.ledger_file) as file:
                os.fchmod(file.fileno(), 0o600)
                shutil.copyfileobj(source, file)
            yield f"put the copy {copy.path} in its place: {copy.jobs} jobs, {copy.signatures} signatures"
        else:
            yield "there is no good copy: began an empty ledger"
        ledger = Ledger(settings.ledger_file)
        ledger.storage.change("raise_last_job_id", number=last_number(settings))
        if aside is not None:
            yield take_over(aside, ledger)
        note(ledger, "", f"the ledger was replaced; the old one is {aside}")
        ledger.close()
    finally:
        os.close(lock)


def must_be_stopped() -> WortError:
    """Why nothing is done while a daemon runs."""
    return WortError(
        "the ledger's file is damaged, and can't be replaced while the daemon runs",
        "`wort daemon stop`, then `wort doctor --repair`",
    )


def put_aside(path: Path) -> Path | None:
    """Give the ledger and its companions other names; None if there is no ledger."""
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    for end in ("-wal", "-shm", ""):
        companion = path.with_name(f"{path.name}{end}")
        if companion.exists():
            companion.rename(aside.with_name(f"{aside.name}{end}"))
    return aside if aside.exists() else None


def last_number(settings: Settings) -> int:
    """The highest number of a job of which there is a log or a workspace: no later job may have it."""
    logs = settings.log_dir / "jobs"
    names = [name.removesuffix(".log") for folder in names_in(logs)[-2:] for name in names_in(logs / folder)]
    return max((int(name) for name in (*names, *names_in(settings.work_dir)) if name.isdecimal()), default=0)


def take_over(aside: Path, ledger: Ledger) -> str:
    """Queue the jobs of which the damaged ledger still tells, but for those that are there already."""
    taken = 0
    for row in salvage_rows(aside, queries()["salvage"]):
        try:
            request = JobRequest(
                Source(parse_name(row["name"]), Path(row["archive"]) if row["archive"] else None),
                str(row["profile"]),
                int(row["priority"]),
                str(row["group_name"]),
                str(row["engine"]),
                bool(row["upload"]),
            )
            taken += ledger.jobs.enqueue([request])[0].status is EnqueueStatus.QUEUED
        except (WortError, TypeError, ValueError):  # damaged too
            continue
    return f"queued {taken} more jobs that the damaged ledger still told of"
