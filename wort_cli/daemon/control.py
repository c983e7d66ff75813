"""Starts, stops and reloads the daemon for `wort daemon`."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from wort_cli.errors import (
    DaemonAlreadyRunning,
    DaemonElsewhere,
    DaemonNotRunning,
    ExitCode,
    StorageProblem,
    WortError,
)
from wort_cli.health.health_file import Health, read_health
from wort_cli.health.status import health_of
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import DaemonInfo, running_daemon
from wort_cli.system.process_identity import is_running, signal_process

START_WITHIN = 30.0
"""Seconds that the daemon has to start."""
RESTORE_WITHIN = 10.0
"""Seconds that a running daemon has to create its lock file again, if it was removed."""
SERVE_WITHIN = 30.0
"""Seconds that the HTTP server has to start, or to fail."""
STOP_WITHIN = 20.0
"""Seconds that the daemon has to stop."""


def start(settings: Settings, *, with_server: bool = False) -> DaemonInfo:
    """Start a daemon that outlives this process and its terminal; return when the daemon is ready.

    with_server: let it start the HTTP server, whatever the settings say

    Raises DaemonAlreadyRunning if one runs, and WortError with the daemon's output if it does not start.
    """
    if running := running_daemon(settings.lock_file):
        raise DaemonAlreadyRunning(running.pid, running.where)
    check_can_start(settings)
    output = settings.log_dir / f"daemon.{os.getpid()}.out"
    words = ("daemon", "start", "--foreground", "--quiet", *(("--serve",) if with_server else ()))
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "wort_cli", *words],
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
    if process.poll() == ExitCode.OK and started is None:  # another daemon runs, and is about to restore its lock file
        wait_until(
            lambda: (running := running_daemon(settings.lock_file)) is not None and running.pid > 0, RESTORE_WITHIN
        )
        started = running_daemon(settings.lock_file)
    if started is not None and started.pid not in (0, process.pid):  # another start was faster
        output.unlink(missing_ok=True)
        raise DaemonAlreadyRunning(started.pid, started.where)
    if not in_time or started is None or started.pid != process.pid:
        printed = output.read_text(errors="replace").strip()[-2000:].removeprefix("wort: ")
        output.unlink(missing_ok=True)
        kind = StorageProblem if process.returncode == ExitCode.TEMPORARY else WortError
        raise kind(f"the daemon did not start: {printed or 'it printed nothing'}", f"see {settings.daemon_log}")
    output.replace(settings.log_dir / "daemon.out")
    process.returncode = 0  # keeps Popen from warning that the process is still running
    return started


def server_report(settings: Settings) -> Health | None:
    """Return what the daemon reports of the HTTP server once it runs or has failed; None if that takes too long."""
    report: Health | None = None

    def is_known() -> bool:
        nonlocal report
        report = health_of(running_daemon(settings.lock_file), read_health(settings.health_file))
        return report is not None and bool(report.server_url or report.server_error)

    return report if wait_until(is_known, SERVE_WITHIN) else None


def runs_server(settings: Settings) -> bool:
    """Return whether the running daemon has an HTTP server, or tries to start it."""
    report = health_of(running_daemon(settings.lock_file), read_health(settings.health_file))
    return report is not None and bool(report.server_pid or report.server_error)


def check_can_start(settings: Settings) -> None:
    """Raise WortError if a daemon could not start, because the directories or the ledger cannot be used."""
    settings.make_directories()
    ledger = Ledger(settings.ledger_file)
    ledger.open()
    ledger.close()


def reload(settings: Settings) -> DaemonInfo:
    """Make the daemon read its settings again.  It keeps the old ones if the new ones are invalid.

    Raises DaemonNotRunning if no daemon runs.
    """
    daemon = running_daemon(settings.lock_file)
    if daemon is None or daemon.pid <= 0:
        raise DaemonNotRunning
    signal_daemon(daemon, signal.SIGHUP)
    return daemon


def signal_daemon(daemon: DaemonInfo, number: int) -> None:
    """Send a signal to this daemon and to no other process; do nothing if it has ended.

    Raises WortError if it cannot be identified, because it runs on another host or in a container.
    """
    if daemon.where:
        raise DaemonElsewhere(daemon.pid, daemon.host, daemon.where)
    if daemon.process is None:
        raise WortError(
            f"the daemon (process {daemon.pid}) is of version {daemon.version}, which does not say when it started",
            f"make sure that process {daemon.pid} is the daemon, and stop it with `kill {daemon.pid}`",
        )
    signal_process(daemon.process, number)


def stop(settings: Settings, *, now: bool) -> DaemonInfo | None:
    """Stop the daemon and return it when it has ended; None if none ran.

    With `now` the daemon is killed; its jobs are requeued when it starts again.
    """

    def is_identified() -> bool:
        found = running_daemon(settings.lock_file)
        return found is None or found.pid > 0

    wait_until(is_identified, START_WITHIN)
    daemon = running_daemon(settings.lock_file)
    if daemon is None:
        return None
    if daemon.pid <= 0:  # kill(0) would signal this process's own group
        raise WortError("a daemon is starting and has not written its process number yet", "try again in a moment")
    if now and not daemon.where:
        record_kill(settings)
    signal_daemon(daemon, signal.SIGKILL if now else signal.SIGTERM)

    def has_ended() -> bool:
        ended = daemon.process is None or not is_running(daemon.process)
        return ended and running_daemon(settings.lock_file) is None

    if not wait_until(has_ended, STOP_WITHIN):
        raise WortError(
            f"the daemon (process {daemon.pid}) does not stop",
            f"`wort daemon stop --now` kills it; see {settings.daemon_log}",
        )
    return daemon


def record_kill(settings: Settings) -> None:
    """Record that the daemon is killed on purpose, so that the next one does not take it for a crash.

    Does nothing if the ledger cannot be written, because the daemon is to be killed even then.
    """
    ledger = Ledger(settings.ledger_file)
    with contextlib.suppress(WortError):
        ledger.controls.set_killed_on_purpose(True)
    ledger.close()


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether a condition becomes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
