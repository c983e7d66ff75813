"""Kill a process that writes to the ledger, again and again; every acknowledged write must survive.

    python -m tests.faults.ledger_kills [ROUNDS [WRITES [SEED]]]

In each round a process enqueues, claims and finishes jobs, and prints each step after the ledger has committed it.  It
is killed with SIGKILL at a random write.  Before that, the ledger is copied in two ways: its files are copied as a user
might do it, and `wort backup`'s code makes a backup.  The ledger and the backup must then be sound and hold every write
acknowledged before; no copy may show an illegal transition.
"""

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.builders import published, request
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.job_result import JobResult
from wort_cli.upkeep.backups import back_up, read_backup

ROUNDS, WRITES = 50, 10_000
ORDER = ("queued", "running", "done")
"""The states of each job, in order."""


def main() -> None:
    """Run many rounds; print the seed and a line for each round."""
    given = [int(word) for word in sys.argv[1:]]
    rounds, writes, seed = (*given, *(ROUNDS, WRITES, random.SystemRandom().randrange(10**6))[len(given) :])
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="wort-kills-") as directory:
        for number in range(rounds):
            acknowledged = kill_while_writing(Path(directory) / str(number), writes, random.Random(seed + number))
            print(f"round {number + 1} of {rounds}: killed after {acknowledged} writes; none is lost", flush=True)


def kill_while_writing(directory: Path, writes: int, rng: random.Random) -> int:
    """Run one round; return the number of acknowledged writes.  Raises AssertionError if one of them is lost."""
    directory.mkdir()
    path = directory / "ledger.db"
    code = f"from tests.faults.ledger_kills import write; write({str(path)!r}, {writes})"
    argv = [sys.executable, "-c", code]
    kill_at, copy_at = rng.randrange(1, writes), rng.randrange(1, writes)
    printed: list[str] = []
    before_copy: list[str] = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            printed.append(line.strip())
            if len(printed) == min(copy_at, kill_at):
                before_copy = list(printed)
                copy_files(path, directory / "files.db")
                copy_with_backup(path, directory / "backup.db")
            if len(printed) == kill_at:
                writer.kill()
                break
        printed += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait()
    check(path, printed)
    check(directory / "backup.db", before_copy)
    check_is_consistent(directory / "files.db")
    shutil.rmtree(directory)
    return len(printed)


def write(path: str, writes: int) -> None:
    """Bring jobs from queued to done; print each write after its commit."""
    ledger = Ledger(Path(path))
    for number in range(writes):
        name, step = f"SRR{1_000_000 + number // 3}", ORDER[number % 3]
        if step == "queued":
            (answer,) = ledger.jobs.enqueue([request(name)])
            job_id = answer.job_id or 0
        elif step == "running":
            assert ledger.attempts.claim(job_id, "me", 60)
        else:
            assert ledger.attempts.finish(JobResult(job_id, 1, published(name)), RetryPolicy())
        sys.stdout.write(f"{job_id} {name} {step}\n")
        sys.stdout.flush()


def copy_files(path: Path, to: Path) -> None:
    """Copy a database that is being written: first the database file, then its write-ahead log.

    Pages that a checkpoint writes during the copy are also in the log, and SQLite ignores an incomplete last
    frame.  Only if the log is restarted during the copy do the two files not match; then they are copied
    again.
    """
    log = path.with_name(f"{path.name}-wal")
    while True:
        generation = wal_header(log)
        shutil.copyfile(path, to)
        shutil.copyfile(log, to.with_name(f"{to.name}-wal"))
        if generation == wal_header(log):
            return


def wal_header(log: Path) -> bytes:
    """Return the header of a write-ahead log; each restart of the log changes it (sqlite.org/fileformat2.html)."""
    with log.open("rb") as file:
        return file.read(32)


def copy_with_backup(path: Path, to: Path) -> None:
    """Copy the ledger as `wort backup` does."""
    ledger = Ledger(path)
    back_up(ledger, to)
    ledger.close()
    read_backup(to)


def check(path: Path, acknowledged: Sequence[str]) -> None:
    """Assert that a ledger is sound and that each job has reached its acknowledged state.

    It may be one state further, if the process was killed between the commit and the output.
    """
    last = {}
    for line in acknowledged:
        number, name, step = line.split()
        last[int(number)] = (name, step)
    found = check_is_consistent(path)
    for job_id, (name, step) in last.items():
        assert job_id in found, f"{path}: job {job_id} is lost"
        found_name, state = found[job_id]
        assert found_name == name, f"{path}: job {job_id} is {found_name}, not {name}"
        assert ORDER.index(state) >= ORDER.index(step), f"{path}: job {job_id} was {step} and is {state}"


def check_is_consistent(path: Path) -> dict[int, tuple[str, str]]:
    """Assert that a ledger is sound, and that events, jobs and catalog agree; return name and state of each job."""
    ledger = Ledger(path)
    assert ledger.check() == "ok", f"{path}: {ledger.check()}"
    connection = ledger.storage.connection
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    jobs = {job.id: (str(job.name), str(job.state)) for job in ledger.jobs.matching(JobFilter())}
    for job_id, (_, state) in jobs.items():
        moves = [event.after for event in ledger.jobs.events(job_id)]
        assert moves == list(ORDER[: len(moves)]), f"{path}: job {job_id} moved {moves}"
        assert moves[-1] == state, f"{path}: job {job_id} is {state}, its last event says {moves[-1]}"
    assert ledger.catalog.count() == sum(state == "done" for _, state in jobs.values())
    ledger.close()
    return jobs


if __name__ == "__main__":
    main()
