"""A file system that cannot lock files: the ledger is not taken for damaged, and nothing is replaced."""

import errno
import os

import pytest

from tests.faults.machine import bad_locks
from tests.support.homes import Home
from tests.support.shelf import Shelf

RUN = "SRR000001"
SENTENCE = "is on a file system that cannot lock it"


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EIO, errno.EOPNOTSUPP, errno.EPROTO])
def test_ledger_that_cannot_be_locked_is_not_replaced(error: int, home: Home) -> None:
    home("compute", RUN).expect(0)
    (home.path / "backups").mkdir(mode=0o700)
    home("backup", home.path / "backups" / "ledger-20200101-000000.db").expect(0)
    home("compute", "SRR000002").expect(0)
    locks = bad_locks(home, "", error)
    with locks.broken():
        before = home.ledger.read_bytes()
        for words in ("status", f"compute {RUN}", "doctor --repair"):
            done = home(*words.split()).expect(75, str(home.ledger))
            assert "damage" not in done.err
            assert "empty ledger" not in done.err
        assert "set WORT_HOME to a directory on a local disk" in done.err
        assert home.ledger.read_bytes() == before
    assert [path.name for path in home.path.glob("ledger.db*damaged*")] == []
    assert len(home.jobs()) == 2
    home("status").expect(0)


def test_daemon_is_found_and_stopped_although_its_lock_cannot_be_tested(home: Home) -> None:
    """The lock service of a network file system fails while the daemon runs."""
    locks = bad_locks(home, "daemon.lock", errno.ENOLCK)
    home("daemon", "start").expect(0)
    pid = home.daemon_pid()
    with locks.broken():
        assert home("daemon", "status", "--json").expect(0).json()["pid"] == pid
        assert f"already running (process {pid})" in home("daemon", "start").expect(0).out
        assert f"(process {pid}) has stopped" in home("daemon", "stop").expect(0).out
        assert "stopped" in home("daemon", "status").expect(3).out
        home("daemon", "start").expect(75, str(home.path / "daemon.lock"), SENTENCE)


def test_lock_of_a_daemon_that_is_not_seen_from_here_is_not_taken_for_free(home: Home) -> None:
    locks = bad_locks(home, "daemon.lock", errno.ENOLCK)
    home("daemon", "start").expect(0)
    home("daemon", "stop").expect(0)
    file = home.path / "daemon.lock"
    file.write_text(file.read_text().replace(os.uname().nodename, "elsewhere"))
    with locks.broken():
        for words in ("daemon start", "daemon stop", "daemon status"):
            home(*words.split()).expect(75, SENTENCE)


def test_job_whose_files_cannot_be_locked_waits_for_the_disk(home: Home, shelf: Shelf) -> None:
    locks = bad_locks(home, "work", errno.ENOLCK)
    home.keep(RUN, shelf.archive("one_read"))
    with locks.broken():
        home("compute", RUN, "--now").expect(75, "disk-error", "No locks available")
    home("compute", RUN, "--now").expect(0)
    assert ("waiting", "disk-error") in home.events(RUN)
