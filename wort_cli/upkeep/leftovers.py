"""Finds leftovers in a home: files of ended jobs, and files of processes that were killed.

Each search is an iterator of small steps, so that the daemon can run turns in between; most steps find nothing.  A
search removes nothing: the caller decides to call `Leftover.remove`.
"""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wort_cli.ledger.ledger import Ledger
from wort_cli.pipeline.archive_cache import ArchiveCache
from wort_cli.pipeline.archive_cache import remove as remove_from_cache
from wort_cli.pipeline.archives.reference_store import ReferenceStore
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import PARTIAL, partial_suffix
from wort_cli.system.temporary import PREFIX as SCRATCH
from wort_cli.upkeep.retention import (
    OUTPUT_GRACE,
    JobSummary,
    why_remove_attempt,
    why_remove_log,
    why_remove_workspace,
)

STEP = 300
"""Names of a directory that are examined in one step."""
REFERENCE_GRACE = 86_400.0
"""Seconds for which the part of a reference is kept that has arrived, for a later attempt."""
PARTIAL_GRACE = 86_400.0
"""Seconds without a change after which the partial file of another machine, or an earlier boot, is a leftover."""
DOOMED = ".gone-"
"""The prefix of a workspace that is being removed."""


@dataclass(frozen=True)
class Leftover:
    """A file or directory to be removed; `remove` checks again and returns whether it removed it."""

    path: Path
    why: str
    remove: Callable[[], bool]


Search = Iterator[Leftover | None]
"""Yields leftovers, and None after a step that found nothing."""


def leftovers(ledger: Ledger, settings: Settings, running_jobs: Callable[[], Collection[int]] = tuple) -> Search:
    """Search for all leftovers; `running_jobs` returns the numbers of jobs whose files must not be touched."""
    yield from workspaces(ledger, settings, running_jobs)
    yield from cached_archives(settings)
    yield from logs(ledger, settings)
    yield from start_outputs(settings)
    yield from unfinished_references(settings)
    yield from scratch_directories(settings)
    for directory in (settings.store_dir, settings.backup_dir):
        yield from partial_files(directory)


def job_summaries(ledger: Ledger, first: int, last: int) -> dict[int, JobSummary]:
    """Return the jobs from `first` to `last` by their numbers."""
    rows = ledger.storage.rows("job_states", first=first, last=last)
    return {row["id"]: JobSummary.from_row(row) for row in rows}


def job_summary(ledger: Ledger, job_id: int) -> JobSummary | None:
    """Return a job; None if it does not exist."""
    return job_summaries(ledger, job_id, job_id).get(job_id)


# ---- Workspaces


def workspaces(ledger: Ledger, settings: Settings, running_jobs: Callable[[], Collection[int]]) -> Search:
    """Search for workspaces of jobs that have ended or do not exist, and for directories of ended attempts."""
    for name in names_in(settings.work_dir):
        path = settings.work_dir / name
        if name.startswith(DOOMED):
            yield Leftover(path, "its removal was interrupted", lambda: True)
            continue
        if not name.isdecimal() or not name.isascii() or int(name) in running_jobs():
            continue
        job_id = int(name)
        job = job_summary(ledger, job_id)
        if why := decide_workspace(path, job, settings):
            yield Leftover(path, why, partial(rename_for_removal, path, job_id, ledger, settings))
        elif job is not None and job.state.is_live:
            yield from attempts(path, job)
        else:
            yield None


def decide_workspace(path: Path, job: JobSummary | None, settings: Settings) -> str:
    """Return why a workspace is to be removed; empty if it is kept."""
    has_sealed = (path / "sealed").exists()
    return why_remove_workspace(job, time.time(), has_sealed=has_sealed, keep_sealed=settings.keep_sealed)


def rename_for_removal(path: Path, job_id: int, ledger: Ledger, settings: Settings) -> bool:
    """Rename a workspace so that no attempt finds it, unless the job was queued again; return whether it was renamed.

    The transaction's lock keeps other processes from claiming the job meanwhile.
    """
    with ledger.storage.transaction():
        if not decide_workspace(path, job_summary(ledger, job_id), settings):
            return False
        with contextlib.suppress(FileNotFoundError):
            path.rename(path.with_name(f"{DOOMED}{job_id}-{time.time_ns()}"))
    return True


def attempts(workspace: Path, job: JobSummary) -> Search:
    """Search the workspace of a live job for directories of attempts that have ended."""
    for name in names_in(workspace):
        word, _, number = name.partition("-")
        if word == "attempt" and number.isdecimal() and number.isascii():
            path = workspace / name
            if why := why_remove_attempt(job, int(number), seconds_since_change(path)):
                yield Leftover(path, why, partial(remove_tree, path))
    yield None


def finish_removals(settings: Settings) -> Iterator[None]:
    """Remove the workspaces that `rename_for_removal` has renamed, one file per step."""
    for name in names_in(settings.work_dir):
        if name.startswith(DOOMED):
            yield from remove_in_steps(settings.work_dir / name)


def remove_in_steps(directory: Path) -> Iterator[None]:
    """Remove a directory, one file per step."""
    for name in names_in(directory):
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            yield from remove_in_steps(path)
        else:
            path.unlink(missing_ok=True)
        yield None
    with contextlib.suppress(OSError):
        directory.rmdir()


# ---- The cache of archives


def cached_archives(settings: Settings) -> Search:
    """Search for archives that the cache has no more room for, and for what interrupted removals left."""
    cache = ArchiveCache.of_home(settings)
    for path in cache.excess():
        yield Leftover(path, "the cache has more than `cache_bytes`", partial(remove_from_cache, path))
    for path in cache.remains():
        yield Leftover(path, "its removal was interrupted", partial(remove_tree, path))
    yield None


# ---- References


def unfinished_references(settings: Settings) -> Search:
    """Search for what has arrived of references that no job has continued to fetch for a day."""
    store = ReferenceStore(settings.references_dir, settings.reference_bytes)
    for path in store.unfinished():
        if seconds_since_change(path) > REFERENCE_GRACE:
            yield Leftover(path, "no job has continued to fetch it", partial(store.discard, path))
    yield None


# ---- Logs and other files


def logs(ledger: Ledger, settings: Settings) -> Search:
    """Search for logs of jobs that ended long ago."""
    root = settings.log_dir / "jobs"
    for folder in names_in(root):
        if not folder.isdecimal() or not folder.isascii():
            continue
        names = [name for name in names_in(root / folder) if name.removesuffix(".log").isdecimal()]
        for start in range(0, len(names), STEP):
            part = {int(name.removesuffix(".log")): root / folder / name for name in names[start : start + STEP]}
            jobs = job_summaries(ledger, min(part), max(part))
            for job_id, path in part.items():
                job = jobs.get(job_id)
                unchanged = 0.0 if job else seconds_since_change(path)
                if why := why_remove_log(job, time.time(), unchanged, settings.keep_logs):
                    yield Leftover(path, why, partial(remove_file, path))
            yield None


def start_outputs(settings: Settings) -> Search:
    """Search for outputs of starting daemons that no `wort daemon start` has collected, because it was killed."""
    for name in names_in(settings.log_dir):
        path = settings.log_dir / name
        is_start_output = name.startswith("daemon.") and name.endswith(".out") and name != "daemon.out"
        if is_start_output and seconds_since_change(path) > OUTPUT_GRACE:
            yield Leftover(path, "the command that started the daemon was killed", partial(remove_file, path))
    yield None


def scratch_directories(settings: Settings) -> Search:
    """Search for the scratch directories of commands that were killed."""
    for name in names_in(settings.cache_dir):
        path = settings.cache_dir / name
        if name.startswith(SCRATCH) and seconds_since_change(path) > PARTIAL_GRACE:
            yield Leftover(path, "the command that used it was killed", partial(remove_tree, path))
    yield None


def partial_files(root: Path) -> Search:
    """Search below a directory for partial files whose writer has died.

    A live writer on this machine holds a lock on its file.  The lock of one on another machine may not be seen here, so
    its file is kept until it has not changed for a day.
    """
    for number, name in enumerate(names_in(root)):
        path = root / name
        if name.endswith(PARTIAL):
            is_ours = name.endswith(partial_suffix())
            if (is_ours or seconds_since_change(path) > PARTIAL_GRACE) and is_unlocked(path, remove=False):
                yield Leftover(path, "the process that wrote it has died", partial(is_unlocked, path, remove=True))
        elif "." not in name and path.is_dir() and not path.is_symlink():
            yield from partial_files(path)
        if number % STEP == STEP - 1:
            yield None
    yield None


def is_unlocked(path: Path, *, remove: bool) -> bool:
    """Return whether no writer holds the lock of a partial file (system/atomic_files.py).

    With `remove`, the file is removed while it is locked here, so that no new writer can take it.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(path.stat(), os.fstat(file.fileno())):
                return False
            if remove:
                path.unlink()
    except OSError:  # another process has locked or removed it
        return False
    return True


def remove_file(path: Path) -> bool:
    """Remove a file; return whether it no longer exists."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    return not path.exists()


def remove_tree(path: Path) -> bool:
    """Remove a directory; return whether it no longer exists."""
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()


def names_in(directory: Path) -> list[str]:
    """Return the sorted names in a directory; empty if it cannot be read."""
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 (Path.iterdir would make an object of each name)
    except OSError:
        return []


def seconds_since_change(path: Path) -> float:
    """Return the seconds since a file was changed; 0 if it does not exist, or the clock was set back."""
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return 0.0
