"""A network disk that stops answering hangs neither the daemon nor a command; its jobs wait until it answers again."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.homes import WORT, Done, Home
from tests.support.hung_disk import HungDisk, hung_disk
from tests.support.polling import LONGEST, Stopwatch, until
from tests.support.shelf import Shelf, copy_archive
from wort_cli.errors import ExitCode

ON_DISK, LATER, LOCAL, SLOW = "SRR000001", "SRR000002", "SRR000003", "SRR000004"
LIMITS = {
    "WORT_ANSWER_TIMEOUT": "1",
    "WORT_RETRY_DELAY": "0.5",
    "WORT_JOBS": "1",
}
QUICKLY = 30.0
"""Seconds within which every command must answer; each look at the disk takes one, a read that hangs takes forever."""


@pytest.fixture
def disk(home: Home, shelf: Shelf, tmp_path: Path) -> Iterator[HungDisk]:
    """A network disk with two archives; a third is on a local disk."""
    directory = tmp_path / "served"
    directory.mkdir()
    for run in (ON_DISK, LATER, SLOW):
        copy_archive(shelf.archive("paired_illumina"), directory / f"{run}.sra")
    home.keep(LOCAL, shelf.archive("single_illumina"))
    with hung_disk(directory, tmp_path) as found:
        home.env |= {**LIMITS, "WORT_ARCHIVES": str(found.mount)}
        yield found


def run(home: Home, disk: HungDisk, *words: str | Path) -> Done:
    """Run a command where the disk is mounted; it must not hang."""
    watch = Stopwatch()
    done = home(*words, before=disk.before)
    assert watch.seconds < QUICKLY, str(done)
    return done


def test_silent_disk_hangs_neither_daemon_nor_commands_and_its_jobs_wait(home: Home, disk: HungDisk) -> None:
    run(home, disk, "daemon", "start").expect(0)
    run(home, disk, "compute", ON_DISK).expect(0)
    home.until_job(ON_DISK, "done")
    disk.hang()
    run(home, disk, "compute", LATER, LOCAL).expect(0)
    job = home.until_job(LATER, "waiting")
    assert (job.reason, str(disk.mount) in job.message) == ("disk-error", True)
    assert "does not answer" in job.message
    home.until_job(LOCAL, "waiting", "done")
    until(lambda: "does not answer" in run(home, disk, "daemon", "status").out, "the daemon reports the disk")
    assert "unhealthy" in run(home, disk, "daemon", "status").expect(1).out
    assert "unhealthy" in run(home, disk, "status").out
    assert "does not answer" in run(home, disk, "doctor").expect(1).out
    archive = disk.mount / f"{ON_DISK}.sra"
    for words in (
        ("compute", str(archive), "--now"),
        ("compute", "--from-file", str(archive)),
        ("view", ON_DISK, "-o", str(disk.mount / "x.sig")),
    ):
        run(home, disk, *words).expect(75, "does not answer")
    disk.recover()
    home.until_job(LATER, "done")
    home.until_job(LOCAL, "done")
    until(lambda: run(home, disk, "daemon", "status").code == 0, "the daemon is well again")


def test_worker_that_waits_for_a_silent_disk_for_ever_is_replaced(home: Home, disk: HungDisk) -> None:
    home.env |= {"WORT_HANG_TIMEOUT": "4", "WORT_STALL_TIMEOUT": "1"}
    run(home, disk, "daemon", "start").expect(0)
    disk.hang_after(20_000)
    run(home, disk, "compute", SLOW).expect(0)
    home.until_job(SLOW, "running")
    run(home, disk, "compute", LOCAL, "--priority", "9").expect(0)
    run(home, disk, "status").expect(0)
    until(lambda: "it waits for a disk" in (home.path / "logs" / "daemon.log").read_text(), "it is replaced")
    until(lambda: "interrupted" in [reason for _, reason in home.events(SLOW)], "its attempt has ended")
    home.until_job(LOCAL, "done")  # the worker that is stuck has lost its slot
    run(home, disk, "daemon", "stop").expect(0)
    disk.recover()
    del home.env["WORT_HANG_TIMEOUT"], home.env["WORT_STALL_TIMEOUT"]
    run(home, disk, "daemon", "start").expect(0)
    for name in (SLOW, LOCAL):
        home.until_job(name, "done")


def test_disk_that_falls_silent_while_now_reads_ends_the_command_with_a_sentence(home: Home, disk: HungDisk) -> None:
    """The process that reads cannot be ended; another one waits for it, and does so no longer."""
    words = (*disk.before, WORT, "compute", SLOW, "--now")
    disk.hang_after(20_000)
    with (home.root / "stderr").open("w+b") as err:
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=err, stderr=err, env=home.env) as now:
            assert now.wait(LONGEST) == ExitCode.TEMPORARY
        err.seek(0)
        message = err.read().decode()
    assert f"{disk.mount}/{SLOW}.sra" in message
    assert "does not answer within 1 s" in message
    assert home.job(SLOW).state == "running"
    disk.recover()
    home.until_idle()
    run(home, disk, "compute", SLOW, "--now").expect(0)
    assert ("queued", "interrupted") in home.events(SLOW)
