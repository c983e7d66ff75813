"""Stopping a daemon ends that daemon and nobody else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import clean_environment, eventually
from wort_cli.daemon.control import stop
from wort_cli.settings import load_settings
from wort_cli.system.daemon_lock import acquire_lock

STOP = """
from wort_cli.daemon.control import stop
from wort_cli.settings import load_settings
stop(load_settings(), now={})
"""


def test_there_is_nothing_to_stop_where_no_daemon_runs(tmp_path: Path) -> None:
    assert stop(load_settings({"WORT_HOME": str(tmp_path)}), now=True) is None


@pytest.mark.parametrize("now", [False, True])
@pytest.mark.parametrize("signature", [b"", b'{"pid": 1234567, "of a later version": true}'])
def test_a_daemon_that_has_not_said_who_it_is_does_not_cost_the_caller_its_life(
    tmp_path: Path, now: bool, signature: bytes
) -> None:
    lock = acquire_lock(tmp_path / "daemon.lock")
    os.pwrite(lock, signature, 0)
    caller = subprocess.Popen(
        [sys.executable, "-c", STOP.format(now)],
        env=clean_environment(WORT_HOME=str(tmp_path)),
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: caller.poll() is not None, 1.0)
    finally:
        os.close(lock)
    assert caller.wait(30) >= 0
