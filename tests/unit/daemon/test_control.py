"""Stopping a daemon stops that daemon and no other process."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import clean_environment, eventually
from wort_cli.daemon.control import check_can_start, reload, stop, wait_until
from wort_cli.errors import DaemonNotRunning, WortError
from wort_cli.settings import load_settings
from wort_cli.system.daemon_lock import acquire_lock

STOP = """
from wort_cli.daemon.control import stop
from wort_cli.settings import load_settings
stop(load_settings(), now={})
"""


def test_nothing_is_stopped_if_no_daemon_runs(tmp_path: Path) -> None:
    assert stop(load_settings({"WORT_HOME": str(tmp_path)}), now=True) is None


@pytest.mark.parametrize("now", [False, True])
@pytest.mark.parametrize("signature", [b"", b'{"pid": 1234567, "of a later version": true}'])
def test_caller_survives_a_daemon_that_has_not_written_its_pid(tmp_path: Path, now: bool, signature: bytes) -> None:
    lock = acquire_lock(tmp_path / "daemon.lock")
    (tmp_path / "daemon.lock").write_bytes(signature)
    caller = subprocess.Popen(
        [sys.executable, "-c", STOP.format(now)],
        env=clean_environment(WORT_HOME=str(tmp_path)),
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: caller.poll() is not None, 1.0)
    finally:
        lock.close()
    assert caller.wait(60) >= 0


def test_reloading_without_a_daemon_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DaemonNotRunning):
        reload(load_settings({"WORT_HOME": str(tmp_path)}))


def test_daemon_cannot_start_with_an_unusable_ledger(tmp_path: Path) -> None:
    settings = load_settings({"WORT_HOME": str(tmp_path)})
    check_can_start(settings)
    settings.ledger_file.write_text("no database, and longer than the header of one" * 20)
    with pytest.raises(WortError):
        check_can_start(settings)


def test_waiting_for_a_condition_ends_with_its_result() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), 10)
    assert not wait_until(lambda: False, 0.01)
