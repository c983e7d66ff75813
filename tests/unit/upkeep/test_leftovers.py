"""The search finds leftovers, and nothing else."""

import fcntl
import os
import time
from dataclasses import replace
from pathlib import Path

from tests.support.builders import request
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import atomic_file, partial_suffix, write_atomically
from wort_cli.upkeep.leftovers import finish_removals, leftovers

LONG_AGO = time.time() - 100 * 86400


def add(path: Path, *, old: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    if old:
        for part in (path, path.parent):
            os.utime(part, (LONG_AGO, LONG_AGO))
    return path


def jobs(ledger: Ledger, number: int) -> list[int]:
    answers = ledger.jobs.enqueue([request(f"SRR{n:06d}") for n in range(number)])
    return [answer.job_id or 0 for answer in answers]


def end(ledger: Ledger, job_id: int, ago: float = 10.0) -> None:
    """Cancel a job and set its end to `ago` seconds ago."""
    ledger.jobs.cancel([job_id])
    ledger.storage.connection.execute("UPDATE jobs SET ended_at = ? WHERE id = ?", (time.time() - ago, job_id))


def remove_leftovers(ledger: Ledger, settings: Settings, running_jobs: tuple[int, ...] = ()) -> set[Path]:
    """Remove all leftovers and return their paths."""
    found = [item for item in leftovers(ledger, settings, lambda: running_jobs) if item is not None]
    assert all(item.remove() for item in found)
    for _ in finish_removals(settings):
        pass
    return {item.path for item in found}


def test_home_in_order_has_no_leftovers(ledger: Ledger, settings: Settings) -> None:
    (job_id,) = jobs(ledger, 1)
    add(settings.workspace(job_id) / "slices" / "0.npz")
    add(settings.job_log(job_id), old=True)
    add(settings.log_dir / "daemon.out", old=True)
    write_atomically(settings.store_dir / "sigs" / "SRR139" / "SRR139146.sig", b"x")
    assert remove_leftovers(ledger, settings) == set()


def test_workspaces_of_ended_and_unknown_jobs_are_removed(ledger: Ledger, settings: Settings) -> None:
    live, cancelled, recent, working = jobs(ledger, 4)
    end(ledger, cancelled)
    end(ledger, working)
    ledger.jobs.cancel([recent])
    workspaces = {job_id: settings.workspace(job_id) for job_id in (live, cancelled, recent, working, 777)}
    for path in workspaces.values():
        add(path / "attempt-1" / "run" / "x")
        add(path / "slices" / "y")
    add(settings.work_dir / "notes" / "a-person's")
    assert remove_leftovers(ledger, settings, (working,)) == {workspaces[cancelled], workspaces[777]}
    left = {path.name for path in settings.work_dir.iterdir()}
    assert left == {str(live), str(recent), str(working), "notes"}


def test_workspace_of_a_retried_job_is_kept(ledger: Ledger, settings: Settings) -> None:
    (job_id,) = jobs(ledger, 1)
    end(ledger, job_id)
    add(settings.workspace(job_id) / "slices" / "y")
    (found,) = [item for item in leftovers(ledger, settings) if item is not None]
    ledger.jobs.retry([job_id])
    assert not found.remove()
    assert (settings.workspace(job_id) / "slices" / "y").exists()


def test_interrupted_removal_is_finished(ledger: Ledger, settings: Settings) -> None:
    half = settings.work_dir / ".gone-7-1"
    add(half / "slices" / "y")
    assert remove_leftovers(ledger, settings) == {half}
    assert not half.exists()


def test_directories_of_earlier_attempts_are_removed(ledger: Ledger, settings: Settings) -> None:
    (job_id,) = jobs(ledger, 1)
    for _ in range(2):
        job = ledger.attempts.claim(job_id, "me", 60)
        assert job is not None
        if job.attempt == 1:
            ledger.attempts.requeue(job_id, 1, "lost")
    for attempt in (1, 2):
        add(settings.workspace(job_id) / f"attempt-{attempt}" / "x", old=True)
    assert remove_leftovers(ledger, settings) == {settings.workspace(job_id) / "attempt-1"}


def test_archives_beyond_the_limit_of_the_cache_are_removed(ledger: Ledger, settings: Settings) -> None:
    cache = settings.archive_cache_dir
    for n in (3, 1, 2):
        add(cache / f"SRR00000{n}-{n}" / "x.sra")
    add(cache / ".gone-SRR000004-4-5" / "x.sra")
    kept = replace(settings, cache_bytes=250)
    assert remove_leftovers(ledger, kept) == {cache / "SRR000001-1", cache / ".gone-SRR000004-4-5"}
    assert sorted(path.name for path in cache.iterdir()) == ["SRR000002-2", "SRR000003-3"]
    assert remove_leftovers(ledger, settings) == {cache / "SRR000002-2", cache / "SRR000003-3"}
    assert list(cache.iterdir()) == []


def test_logs_of_jobs_that_ended_long_ago_are_removed(ledger: Ledger, settings: Settings) -> None:
    live, recent, old = jobs(ledger, 3)
    end(ledger, recent)
    end(ledger, old, 31 * 86400)
    logs = {job_id: add(settings.job_log(job_id), old=True) for job_id in (live, recent, old, 777, 5001)}
    assert remove_leftovers(ledger, settings) == {logs[old], logs[777], logs[5001]}


def test_partial_files_are_removed_unless_their_writer_lives(ledger: Ledger, settings: Settings) -> None:
    directory = settings.store_dir / "sigs" / "SRR139"
    dead = add(directory / f"SRR139146.sig{partial_suffix()}")
    with atomic_file(directory / "SRR139147.sig") as file:
        assert remove_leftovers(ledger, settings) == {dead}
        file.write(b"whole")
    assert (directory / "SRR139147.sig").read_bytes() == b"whole"
    held = add(directory / f"SRR139148.sig{partial_suffix()}")
    with held.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert remove_leftovers(ledger, settings) == set()
    assert remove_leftovers(ledger, settings) == {held}


def test_uncollected_output_of_a_starting_daemon_is_removed(ledger: Ledger, settings: Settings) -> None:
    old, _ = add(settings.log_dir / "daemon.4711.out", old=True), add(settings.log_dir / "daemon.4712.out")
    assert remove_leftovers(ledger, settings) == {old}


def test_scratch_directories_of_killed_commands_are_removed_after_a_day(ledger: Ledger, settings: Settings) -> None:
    recent, old = settings.cache_dir / "scratch-1", settings.cache_dir / "scratch-2"
    for path in (recent, old):
        add(path / "head")
    os.utime(old, (0, 0))
    assert remove_leftovers(ledger, settings) == {old}
    assert recent.exists()


def test_parts_of_references_that_nobody_fetches_are_removed_after_a_day(ledger: Ledger, settings: Settings) -> None:
    fetching = settings.references_dir / "fetching"
    old = add(fetching / "NC_000005.8" / "archive.sra", old=True).parent
    recent = add(fetching / "NC_000006.8" / "archive.sra").parent
    for reference in (old, recent):
        add(settings.references_dir / "locks" / reference.name)
    assert remove_leftovers(ledger, settings) == {old}
    assert not old.exists()
    assert recent.exists()
