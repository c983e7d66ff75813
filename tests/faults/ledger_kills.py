"""A writer of the ledger is killed again and again in the midst of its writes; what it was told is done must be there.

    python -m tests.faults.ledger_kills [ROUNDS [WRITES [SEED]]]

In each round a process accepts, claims and ends jobs, and says of each step, once the ledger has answered, what it did.
It gets SIGKILL at a random one of its writes.  The ledger is also copied meanwhile: its files with a plain copy, as a
person might, and by the backup.  Afterwards the ledger and the copies are sound, hold everything that was acknowledged
before them, and no move that the rules don't allow.
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
"""The way of each job; how far it was is told by the last word that was heard of it."""


def main() -> None:
    """The long form."""
    given = [int(word) for word in sys.argv[1:]]
    rounds, writes, seed = (*given, *(ROUNDS, WRITES, random.SystemRandom().randrange(10**6))[len(given) :])
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="wort-kills-") as directory:
        for number in range(rounds):
            acknowledged = kill_in_the_midst(Path(directory) / str(number), writes, random.Random(seed + number))
            print(f"round {number + 1} of {rounds}: killed after {acknowledged} writes; all are there", flush=True)


def kill_in_the_midst(directory: Path, writes: int, rng: random.Random) -> int:
    """One round; the number of writes that were acknowledged.  AssertionError if one of them is not there."""
    directory.mkdir()
    path = directory / "ledger.db"
    code = f"from tests.faults.ledger_kills import write; write({str(path)!r}, {writes})"
    argv = [sys.executable, "-c", code]
    kill_at, copy_at = rng.randrange(1, writes), rng.randrange(1, writes)
    heard: list[str] = []
    before_copy: list[str] = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            heard.append(line.strip())
            if len(heard) == min(copy_at, kill_at):
                before_copy = list(heard)
                copy_plainly(path, directory / "plain.db")
                copy_with_backup(path, directory / "backup.db")
            if len(heard) == kill_at:
                writer.kill()
                break
        heard += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait()
    check(path, heard)
    check(directory / "backup.db", before_copy)
    check_is_consistent(directory / "plain.db")
    shutil.rmtree(directory)
    return len(heard)


def write(path: str, writes: int) -> None:
    """Take jobs from queued to done, and say of each write, when it was answered for, which it was."""
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


def copy_plainly(path: Path, to: Path) -> None:
    """Copy the files of a database one after the other, while it is written to: first the database, then its log.

    What was written back into the database while it was copied is in the log too, a frame that is only half there is
    passed over by SQLite.  Only if the log was begun anew in between do the two not belong together: then once more.
    """
    log = path.with_name(f"{path.name}-wal")
    while True:
        generation = beginning_of(log)
        shutil.copyfile(path, to)
        shutil.copyfile(log, to.with_name(f"{to.name}-wal"))
        if generation == beginning_of(log):
            return


def beginning_of(log: Path) -> bytes:
    """The header of a log, which is another one whenever it is begun anew (sqlite.org/fileformat2.html)."""
    with log.open("rb") as file:
        return file.read(32)


def copy_with_backup(path: Path, to: Path) -> None:
    """Copy the ledger as `wort backup` does."""
    ledger = Ledger(path)
    back_up(ledger, to)
    ledger.close()
    read_backup(to)


def check(path: Path, acknowledged: Sequence[str]) -> None:
    """That a ledger is sound and has each job as far as was acknowledged; one step further may have been unheard."""
    last = {}
    for line in acknowledged:
        number, name, step = line.split()
        last[int(number)] = (name, step)
    found = check_is_consistent(path)
    for job_id, (name, step) in last.items():
        assert job_id in found, f"{path}: job {job_id} is lost"
        there, state = found[job_id]
        assert there == name, f"{path}: job {job_id} is {there}, not {name}"
        assert ORDER.index(state) >= ORDER.index(step), f"{path}: job {job_id} was {step} and is {state}"


def check_is_consistent(path: Path) -> dict[int, tuple[str, str]]:
    """That a ledger opens, is sound, and that events, jobs and catalog agree; the name and state of each job."""
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
