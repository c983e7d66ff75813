"""Files of a running daemon are removed or replaced, and commands in other containers try to stop it."""

import os
import shutil
import sqlite3
from contextlib import closing

from tests.support.homes import Home
from tests.support.polling import until
from wort_cli.health.health_file import read_health
from wort_cli.system.daemon_lock import running_daemon
from wort_cli.system.process_identity import is_running

NAMES = ("SRR000001", "SRR000002")


def problems(home: Home) -> str:
    """Return the trouble that the daemon reports."""
    found = read_health(home.path / "health")
    return found.trouble if found else ""


def is_sound(home: Home) -> bool:
    with closing(sqlite3.connect(home.ledger, timeout=30)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0]) == "ok"


def test_removed_lock_file_lets_no_second_daemon_start(home: Home) -> None:
    home("daemon", "start").expect(0)
    lock = home.path / "daemon.lock"
    before = running_daemon(lock)
    assert before is not None
    for _ in range(2):
        lock.unlink()
        assert f"already running (process {before.pid})" in home("daemon", "start").expect(0).out
    lock.unlink()
    until(lambda: running_daemon(lock) == before, "the lock file is back")
    log = (home.path / "logs" / "daemon.log").read_text()
    assert "was removed or replaced" in log
    assert log.count("the daemon runs as process") == 1


def test_removed_files_are_restored_and_a_removed_home_ends_the_daemon(home: Home) -> None:
    home("daemon", "start").expect(0)
    before = running_daemon(home.path / "daemon.lock")
    assert before is not None
    assert before.process is not None
    process = before.process
    for name in ("health", "queue.db", "ledger.db-wal", "daemon.lock"):
        (home.path / name).unlink()
    for name in ("work", "signatures"):
        shutil.rmtree(home.path / name, ignore_errors=True)
    until(lambda: running_daemon(home.path / "daemon.lock") == before, "the lock file is back")
    until(lambda: (found := read_health(home.path / "health")) and not found.trouble, "the health file is back")
    home("compute", *NAMES).expect(0)
    for name in NAMES:
        home.until_job(name, "unavailable")
    assert is_sound(home)
    home.path.rename(home.root / "moved")
    until(lambda: not is_running(process), "the daemon has ended")
    assert "was removed or moved away, so the daemon ends" in (home.root / "moved/logs/daemon.log").read_text()


def test_daemon_is_not_signalled_from_another_container(home: Home) -> None:
    home("daemon", "start").expect(0)
    before = running_daemon(home.path / "daemon.lock")
    assert before is not None
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    for words in (("daemon", "stop", "--now"), ("daemon", "reload")):
        done = home(*words, before=("unshare", *user, "--pid", "--fork", "--mount-proc"))
        done.expect(1, f"the daemon (process {before.pid}) runs in another container on {os.uname().nodename}")
    container = ("unshare", *user, "--pid", "--fork", "--mount-proc")
    there = f"process {before.pid} in another container on {os.uname().nodename}"
    assert there in home("status", before=container).expect(0).out
    assert f"another container on {os.uname().nodename}" in home("daemon", "status", before=container).expect(0).out
    assert running_daemon(home.path / "daemon.lock") == before


def test_ledger_that_is_overwritten_under_the_daemon_is_noticed_and_restored(home: Home) -> None:
    home("daemon", "start").expect(0)
    backup = home.root / "backup.db"
    home("backup", backup).expect(0)
    home("compute", NAMES[0]).expect(0)
    home.ledger.write_bytes(backup.read_bytes())
    # A turn may read the file while it is written, so that the daemon first reports damage.
    until(lambda: "so no job starts" in problems(home), "the daemon is unhealthy")
    assert "wort backup --restore FILE" in problems(home)
    home("backup", "--restore", backup).expect(1, "while the daemon runs", "wort daemon stop")
    home("daemon", "stop").expect(0)
    home("backup", "--restore", backup).expect(0, "the ledger of before is")
    assert is_sound(home)
    assert home.jobs() == []
    home("daemon", "start").expect(0)
    home("compute", NAMES[1]).expect(0)
    home.until_job(NAMES[1], "failed", "unavailable")
    assert problems(home) == ""
