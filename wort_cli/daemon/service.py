"""The daemon's main program: take the lock, recover, start the workers, run the loop until a signal stops it.

SIGTERM and SIGINT stop the daemon: running jobs are interrupted and requeued.  SIGHUP makes it read its settings again,
so closing the terminal from which it was started does not stop it.
"""

import logging
import logging.handlers
import os
import time
from collections.abc import Callable, Sequence

from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.crew import Crew
from wort_cli.daemon.follow_runs import FollowRuns
from wort_cli.daemon.health_writer import HealthWriter
from wort_cli.daemon.home_guard import HomeGuard
from wort_cli.daemon.housekeeping import Housekeeper
from wort_cli.daemon.log_file import start_logging
from wort_cli.daemon.network_watch import NetworkWatch
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.recovery import recover
from wort_cli.daemon.server_process import ServerProcess
from wort_cli.daemon.signals import BUSY_PAUSE, IDLE_PAUSE, Signals, slept
from wort_cli.daemon.supervisor import Supervisor
from wort_cli.daemon.workers import Workers
from wort_cli.errors import HomeLost, StorageProblem, WortError
from wort_cli.health.daemon_view import write_view
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.open_file import OpenLedgerFile
from wort_cli.model.queue_address import LOCAL
from wort_cli.settings import Settings, load_settings
from wort_cli.system.daemon_lock import acquire_lock
from wort_cli.system.private_files import use_private_umask

TROUBLE_PAUSE = 5.0
"""Seconds until the next turn after one that failed."""

log = logging.getLogger(__name__)


def serve(settings: Settings, *, foreground: bool, with_server: bool = False) -> None:
    """Run the daemon until a signal stops it; `with_server` has it start the HTTP server whatever the settings say.

    Raises DaemonAlreadyRunning if another daemon runs, another WortError if this one cannot start.
    """
    use_private_umask()
    settings.make_directories()
    lock = acquire_lock(settings.lock_file, settings.health_file)
    # A child that outlives the daemon for a moment must not hold the lock.
    os.register_at_fork(after_in_child=lock.close)
    start_logging(settings, foreground=foreground)
    ledger = Ledger(settings.ledger_file)
    ledger_file = OpenLedgerFile(ledger.storage)
    os.register_at_fork(after_in_child=ledger_file.close_in_child)
    recover(ledger, settings)
    if settings.queue == LOCAL:
        crew = local_crew(ledger, settings)
    else:
        from wort_cli.daemon.remote.service import remote_crew

        crew = remote_crew(ledger, settings)
    signals = Signals()
    log.info("the daemon runs as process %d with %s, home %s", os.getpid(), crew.described, settings.data_dir)
    coordinator = Coordinator(ledger, crew.site, settings)
    housekeeper = Housekeeper(ledger, settings, lambda: coordinator.jobs, crew.close_connections)
    network = NetworkWatch(settings)
    follow_runs = FollowRuns(ledger, settings)
    server = ServerProcess(settings, wanted=with_server)
    health_writer = HealthWriter(settings, ledger, crew.count_alive, coordinator, network=network, server=server)
    publish_view(settings)
    lock.write_info()
    guard = HomeGuard(lock, ledger_file, settings, network=network)
    try:
        run_loop(
            signals, guard, coordinator, (housekeeper, follow_runs, server), health_writer, crew.woken, crew.busy_pause
        )
    finally:
        log.info("the daemon is stopping")
        server.ask_to_stop()
        follow_runs.stop()
        housekeeper.stop()
        crew.stop()
        end_jobs(guard, coordinator)
        crew.close_connections()
        health_writer.close()
        network.close()
        server.stop()
        log.info("the daemon has stopped")


def end_jobs(guard: HomeGuard, coordinator: Coordinator) -> None:
    """Record what the workers have, and requeue the rest; the next daemon does what cannot be done now."""
    try:
        if guard.ledger_is_ours():
            coordinator.requeue_all()
    except StorageProblem as problem:
        log.error("%s; the next daemon continues its jobs", problem.sentence)


def local_crew(ledger: Ledger, settings: Settings) -> Crew:
    """Start worker processes on this machine."""
    jobs = ledger.controls.job_limit(settings.jobs)
    queue = WorkQueue.create(settings.queue_file)

    def close_connections() -> None:
        ledger.close()
        queue.close()

    workers = Workers(queue, jobs, before_fork=close_connections)
    workers.start()
    site = Supervisor(queue, workers, settings)
    return Crew(
        site,
        f"{jobs} jobs",
        workers.count_alive,
        workers.wait_for_result,
        BUSY_PAUSE,
        workers.stop,
        close_connections,
    )


def run_loop(
    signals: Signals,
    guard: HomeGuard,
    coordinator: Coordinator,
    chores: Sequence[Housekeeper | FollowRuns | ServerProcess],
    health_writer: HealthWriter,
    woken: Callable[[float], bool] = slept,
    busy_pause: float = BUSY_PAUSE,
) -> None:
    """Turn the coordinator until a signal stops the daemon, or its home is lost.

    A turn that fails is reported, and no job fails for it.
    """
    while not signals.stop:
        started, trouble = time.monotonic(), ""
        try:
            if signals.reload:
                signals.reload = False
                if (settings := reload_settings()) is not None:
                    coordinator.reconfigure(settings)
                    for chore in chores:
                        chore.reconfigure(settings)
                    health_writer.reconfigure(settings)
                    publish_view(settings)
            guard.check()
            coordinator.turn()
            for chore in chores:
                chore.step()
            pause = busy_pause if coordinator.busy else IDLE_PAUSE
        except HomeLost as lost:
            log.error("%s, so the daemon ends", lost.sentence)
            return
        except StorageProblem as problem:
            log.error("%s (%s)", problem.sentence, problem.hint)
            pause, trouble = TROUBLE_PAUSE, problem.sentence
        except Exception as error:
            log.exception("a turn failed; the jobs are in the ledger, trying again")
            pause, trouble = TROUBLE_PAUSE, f"a turn failed: {error!r}"
        if trouble:
            coordinator.excuse_silence()
        health_writer.record_turn(started, trouble)
        signals.wait(pause, slept if trouble else woken)
    log.info("received %s", signals.stop)


def reload_settings() -> Settings | None:
    """Return the settings as they are now; None if they are invalid, so that the daemon keeps the old ones."""
    try:
        settings = load_settings()
    except WortError as error:
        log.error("the settings are invalid and were not changed: %s", error.sentence)
        return None
    log.info("the settings were reloaded")
    return settings


def publish_view(settings: Settings) -> None:
    """Let commands compare the daemon's settings with their own."""
    try:
        write_view(settings, os.environ)
    except OSError as error:
        log.error("%s cannot be written: %s", settings.daemon_view_file, error)
