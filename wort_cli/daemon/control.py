"""How commands start and stop the daemon."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from wort_cli.errors import DaemonAlreadyRunning, DaemonNotRunning, WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import DaemonInfo, running_daemon
from wort_cli.system.process_identity import identity_of

START_WITHIN = 30.0
STOP_WITHIN = 20.0
"""Seconds."""


def start(settings: Settings) -> DaemonInfo:
    """Start a daemon that outlives this process and its terminal; return when it is ready.

    DaemonAlreadyRunning if there is one; WortError, with what it said, if it does not start.
    """
    if running := running_daemon(settings.lock_file):
        raise DaemonAlreadyRunning(running.pid)
    check_can_start(settings)
    output = settings.log_dir / f"daemon.{os.getpid()}.out"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "wort_cli", "daemon", "start", "--foreground", "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            cwd="/",
        )
    started: DaemonInfo | None = None

    def has_started() -> bool:
        nonlocal started
        started = running_daemon(settings.lock_file)
        return process.poll() is not None or (started is not None and started.pid == process.pid)

    in_time = wait_until(has_started, START_WITHIN)
    if started is not None and started.pid not in (0, process.pid):
        output.unlink(missing_ok=True)
        raise DaemonAlreadyRunning(started.pid)
    if not in_time or started is None or started.pid != process.pid:
        said = output.read_text(errors="replace").strip()[-2000:]
        output.unlink(missing_ok=True)
        raise WortError(f"the daemon did not start: {said or 'it said nothing'}", f"see {settings.daemon_log}")
    output.replace(settings.log_dir / "daemon.out")
    process.returncode = 0  # it is not ours to wait for
    return started


def check_can_start(settings: Settings) -> None:
    """WortError if a daemon could not start here: the directories, or the ledger, can't be used."""
    settings.make_directories()
    ledger = Ledger(settings.ledger_file)
    ledger.open()
    ledger.close()


def reload(settings: Settings) -> DaemonInfo:
    """Have the daemon read its settings anew; WortError if none runs.  What it then can't use it leaves as it was."""
    daemon = running_daemon(settings.lock_file)
    if daemon is None or daemon.pid <= 0:
        raise DaemonNotRunning
    os.kill(daemon.pid, signal.SIGHUP)
    return daemon


def stop(settings: Settings, *, now: bool) -> DaemonInfo | None:
    """End the daemon and return when it has ended; None if none ran.  `now` kills it, which loses no job either."""

    def signed() -> bool:
        found = running_daemon(settings.lock_file)
        return found is None or found.pid > 0

    wait_until(signed, START_WITHIN)
    daemon = running_daemon(settings.lock_file)
    if daemon is None:
        return None
    if daemon.pid <= 0:  # kill(0) would end us and whatever we are in
        raise WortError("a daemon is starting and does not say who it is", "try again in a moment")
    if now:
        say_it_is_on_purpose(settings)
    with contextlib.suppress(ProcessLookupError):
        os.kill(daemon.pid, signal.SIGKILL if now else signal.SIGTERM)
    if not wait_until(
        lambda: running_daemon(settings.lock_file) is None and identity_of(daemon.pid) is None, STOP_WITHIN
    ):
        raise WortError(
            f"the daemon (process {daemon.pid}) does not end",
            f"`wort daemon stop --now` kills it; see {settings.daemon_log}",
        )
    return daemon


def say_it_is_on_purpose(settings: Settings) -> None:
    """Have the next daemon know that this one did not crash; it is killed even where the ledger can't be written."""
    ledger = Ledger(settings.ledger_file)
    with contextlib.suppress(WortError):
        ledger.controls.set_killed_on_purpose(True)
    ledger.close()


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
