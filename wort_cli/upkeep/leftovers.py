"""What is left over in a home: by jobs that ended while nobody looked, by processes that were killed.

Each search is an iterator that goes a small step at a time, so that the daemon can turn in between; most steps find
nothing.  Nothing is removed before somebody asks a finding to.
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
from wort_cli.settings import Settings
from wort_cli.upkeep.retention import (
    OUTPUT_GRACE,
    Standing,
    attempt_verdict,
    log_verdict,
    workspace_verdict,
)

STEP = 300
"""Names of a directory that are looked at in one step."""
GONE = ".gone-"
"""How the name of a workspace begins that is being removed."""


@dataclass(frozen=True)
class Leftover:
    """A file or directory that should be gone; `remove` looks once more, and tells whether it did."""

    path: Path
    why: str
    remove: Callable[[], bool]


Search = Iterator[Leftover | None]
"""What is left over; None is a step that found nothing."""


def leftovers(ledger: Ledger, settings: Settings, at_work: Callable[[], Collection[int]] = tuple) -> Search:
    """All that is left over; `at_work` gives jobs whose files are not to be touched."""
    yield from workspaces(ledger, settings, at_work)
    yield from logs(ledger, settings)
    yield from outputs(settings)
    for directory in (settings.store_dir, settings.backup_dir):
        yield from partial_files(directory)


def job_states(ledger: Ledger, first: int, last: int) -> dict[int, Standing]:
    """Where jobs stand, by their numbers."""
    rows = ledger.storage.rows("job_states", first=first, last=last)
    return {row["id"]: Standing.from_row(row) for row in rows}


def standing(ledger: Ledger, job_id: int) -> Standing | None:
    """Where a job stands; None if there is no such job."""
    return job_states(ledger, job_id, job_id).get(job_id)


# ---- Workspaces


def workspaces(ledger: Ledger, settings: Settings, at_work: Callable[[], Collection[int]]) -> Search:
    """Workspaces of jobs that have ended or never were, and what earlier attempts left in those of live ones."""
    for name in names_in(settings.work_dir):
        path = settings.work_dir / name
        if name.startswith(GONE):
            yield Leftover(path, "its removal was interrupted", lambda: True)
            continue
        if not name.isdecimal() or not name.isascii() or int(name) in at_work():
            continue
        job_id = int(name)
        job = standing(ledger, job_id)
        if why := verdict_on(path, job, settings):
            yield Leftover(path, why, partial(set_apart, path, job_id, ledger, settings))
        elif job is not None and job.state.is_live:
            yield from attempts(path, job)
        else:
            yield None


def verdict_on(path: Path, job: Standing | None, settings: Settings) -> str:
    """Why a workspace is not kept, '' if it is."""
    return workspace_verdict(job, time.time(), has_sealed=(path / "sealed").exists(), keep_sealed=settings.keep_sealed)


def set_apart(path: Path, job_id: int, ledger: Ledger, settings: Settings) -> bool:
    """Give a workspace a name under which no attempt finds it, unless it is wanted again by now.

    Nobody can claim the job meanwhile: that needs the lock that we have.
    """
    with ledger.storage.transaction():
        if not verdict_on(path, standing(ledger, job_id), settings):
            return False
        with contextlib.suppress(FileNotFoundError):
            path.rename(path.with_name(f"{GONE}{job_id}-{time.time_ns()}"))
    return True


def attempts(workspace: Path, job: Standing) -> Search:
    """Directories of attempts that have ended, in the workspace of a live job."""
    for name in names_in(workspace):
        word, _, number = name.partition("-")
        if word == "attempt" and number.isdecimal() and number.isascii():
            path = workspace / name
            if why := attempt_verdict(job, int(number), unchanged_for(path)):
                yield Leftover(path, why, partial(removed_tree, path))
    yield None


def clear(settings: Settings) -> Iterator[None]:
    """Remove the workspaces that were set apart, some files at a time."""
    for name in names_in(settings.work_dir):
        if name.startswith(GONE):
            yield from cleared(settings.work_dir / name)


def cleared(directory: Path) -> Iterator[None]:
    """Remove a directory, a file at a time."""
    for name in names_in(directory):
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            yield from cleared(path)
        else:
            path.unlink(missing_ok=True)
        yield None
    with contextlib.suppress(OSError):
        directory.rmdir()


# ---- Logs and files


def logs(ledger: Ledger, settings: Settings) -> Search:
    """Logs of jobs that ended long ago."""
    root = settings.log_dir / "jobs"
    for folder in names_in(root):
        if not folder.isdecimal() or not folder.isascii():
            continue
        names = [name for name in names_in(root / folder) if name.removesuffix(".log").isdecimal()]
        for start in range(0, len(names), STEP):
            part = {int(name.removesuffix(".log")): root / folder / name for name in names[start : start + STEP]}
            jobs = job_states(ledger, min(part), max(part))
            for job_id, path in part.items():
                job = jobs.get(job_id)
                if why := log_verdict(job, time.time(), 0.0 if job else unchanged_for(path), settings.keep_logs):
                    yield Leftover(path, why, partial(removed_file, path))
            yield None


def outputs(settings: Settings) -> Search:
    """What daemons said that were started by somebody who was killed."""
    for name in names_in(settings.log_dir):
        path = settings.log_dir / name
        of_a_start = name.startswith("daemon.") and name.endswith(".out") and name != "daemon.out"
        if of_a_start and unchanged_for(path) > OUTPUT_GRACE:
            yield Leftover(path, "nobody waits for it", partial(removed_file, path))
    yield None


def partial_files(root: Path) -> Search:
    """Files below a directory that were begun by a writer that has ended: a living one holds a lock on its own."""
    for number, name in enumerate(names_in(root)):
        path = root / name
        if name.endswith(".partial"):
            if is_nobodys(path, remove=False):
                yield Leftover(path, "whoever wrote it has ended", partial(is_nobodys, path, remove=True))
        elif "." not in name and path.is_dir() and not path.is_symlink():
            yield from partial_files(path)
        if number % STEP == STEP - 1:
            yield None
    yield None


def is_nobodys(path: Path, *, remove: bool) -> bool:
    """Whether no writer has a partial file (stores/local.py); `remove` removes it before another can have it."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(path.stat(), os.fstat(file.fileno())):
                return False
            if remove:
                path.unlink()
    except OSError:  # somebody has it, or it is gone
        return False
    return True


def removed_file(path: Path) -> bool:
    """Remove a file; whether it is gone."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    return not path.exists()


def removed_tree(path: Path) -> bool:
    """Remove a directory; whether it is gone."""
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()


def names_in(directory: Path) -> list[str]:
    """The names in a directory, in order; none if it can't be read."""
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 (Path.iterdir makes an object of each)
    except OSError:
        return []


def unchanged_for(path: Path) -> float:
    """Seconds since a file or directory was changed; 0 if it is gone, or by a clock that was set back."""
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return 0.0
