"""The main program of `wort worker`: connect, wait for the coordinator, start processes, run the loop until a signal.

It has directories of its own inside the home, and one set for each coordinator's home, because jobs are numbered there.
SIGTERM and SIGINT end it: its jobs are returned, and are queued again.  `wort worker drain` lets it end its jobs
first.
"""

import hashlib
import logging
import os
import secrets
import time
from dataclasses import replace
from pathlib import Path

import wort_cli
from wort_cli.daemon.log_file import start_logging
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.remote.relay import Relay
from wort_cli.daemon.remote.remote_queue import RemoteQueue
from wort_cli.daemon.remote.wire import PROTOCOL, Beat, Board
from wort_cli.daemon.signals import BUSY_PAUSE, IDLE_PAUSE, Signals
from wort_cli.daemon.supervisor import Supervisor
from wort_cli.daemon.workers import Workers
from wort_cli.errors import DaemonAlreadyRunning, QueueUnavailable, UsageError, WortError, shown
from wort_cli.pipeline.toolkit.processes import kill_leftovers
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import acquire_lock
from wort_cli.system.private_files import use_private_umask
from wort_cli.system.process_identity import boot_id, own_identity, pid_namespace
from wort_cli.system.seals import load_key

WAIT = 2.0
"""Seconds between looks for a coordinator."""
REPAIR_EVERY = 1.0
LEAVE_WITHIN = 10.0
"""Seconds in which the last answers are sent when the worker ends."""

log = logging.getLogger(__name__)


def serve_jobs(settings: Settings, *, foreground: bool = True) -> None:
    """Run jobs of the coordinator that uses the queue of these settings, until a signal or the coordinator ends it.

    Raises WortError if the worker cannot start, or has another version than the coordinator.
    """
    use_private_umask()
    queue = RemoteQueue.of(settings)
    signals = Signals()
    for warning in queue.check():
        logging.getLogger().warning("%s", warning)
    board = wait_for_board(queue, signals)
    if board is None:
        return
    check_version(board)
    settings = settings_of_worker(settings, board.home)
    settings.make_directories()
    try:
        lock = acquire_lock(settings.lock_file, settings.health_file)
    except DaemonAlreadyRunning as running:
        raise UsageError(
            f"a worker (process {running.pid}) runs with this home", "give another worker its own WORT_HOME"
        ) from None
    os.register_at_fork(after_in_child=lock.close)
    start_logging(settings, foreground=foreground)
    for attempt, killed in kill_leftovers(settings.work_dir, load_key(settings.key_file)):
        log.info("removed %s, left by an earlier worker%s", attempt, ", and killed its processes" if killed else "")
    local = WorkQueue.create(settings.queue_file)

    def close_connections() -> None:
        queue.close()
        local.close()

    workers = Workers(local, settings.jobs, before_fork=close_connections)
    workers.start()
    signals = Signals()  # Huey has set handlers of its own
    lock.write_info()
    supervisor = Supervisor(local, workers, settings)
    relay = Relay(queue, local, supervisor, settings, first_beat(settings, board.home), board)
    log.info("the worker runs as process %d, jobs at a time: %d, queue %s", os.getpid(), settings.jobs, queue.where)
    try:
        run_loop(relay, supervisor, workers, signals, board.home)
    finally:
        log.info("the worker is stopping")
        workers.stop()
        supervisor.requeue_all(relay, "the worker was stopped")
        relay.leave(LEAVE_WITHIN)
        close_connections()
        log.info("the worker has stopped")


def run_loop(relay: Relay, supervisor: Supervisor, workers: Workers, signals: Signals, home: str) -> None:
    """Turn the relay until it is to end.  Raises WortError if the board is of another home or another version."""
    repaired_at = float("-inf")
    while not signals.stop:
        try:
            relay.turn()
            if time.monotonic() - repaired_at > REPAIR_EVERY:
                repaired_at = time.monotonic()
                supervisor.repair()
        except Exception:  # a full disk, for example: the jobs are the coordinator's, and it notices what is lost
            log.exception("a turn failed, trying again")
            supervisor.excuse_silence()
            signals.wait(1.0)
        if relay.board is not None:
            check_version(relay.board)
            check_home(relay.board, home)
        if relay.draining and relay.is_empty:
            log.info("all jobs have ended")
            return
        if not relay.has_waited:
            signals.wait(IDLE_PAUSE if relay.is_empty else BUSY_PAUSE, workers.wait_for_result)
    log.info("received %s", signals.stop)


def wait_for_board(queue: RemoteQueue, signals: Signals) -> Board | None:
    """Return the board of the coordinator, as soon as there is one; None if a signal ends the worker before.

    The server of the queue may restart meanwhile.
    """
    logged = ""
    while not signals.stop:
        why = "waiting for the coordinator: `wort daemon start` with the same `queue`"
        try:
            found = queue.board()
        except QueueUnavailable as problem:
            found, why = None, problem.sentence
        if found is not None:
            try:
                return Board.unpack(found)
            except ValueError as error:
                raise QueueUnavailable(
                    f"the message of the coordinator cannot be read: {error}",
                    "copy the file of `queue_key_file` from the coordinator's host, and set it on this host, too",
                ) from None
        if why != logged:
            logging.getLogger().warning("%s", why)
            logged = why
        signals.wait(WAIT)
    return None


def check_version(board: Board) -> None:
    """Raise WortError if the coordinator has another version."""
    if (board.version, board.protocol) != (wort_cli.__version__, PROTOCOL):
        raise WortError(
            f"the coordinator is wort {shown(board.version)}, and this is wort {wort_cli.__version__}",
            "install the same version of wort on all hosts, and start the worker again",
        )


def check_home(board: Board, home: str) -> None:
    """Raise QueueUnavailable if the queue has passed to another coordinator, whose orders this worker must not take."""
    if board.home != home:
        raise QueueUnavailable(
            f"the queue has passed to another coordinator, on the host {shown(board.host)}",
            "start the worker again: it then works for that one",
        )


def settings_of_worker(settings: Settings, home: str) -> Settings:
    """Return the settings with directories for the jobs of a coordinator's home."""
    folder = hashlib.sha256(home.encode()).hexdigest()[:12]

    def inside(directory: Path) -> Path:
        return directory / "worker" / folder

    return replace(
        settings,
        data_dir=inside(settings.data_dir),
        state_dir=inside(settings.state_dir),
        cache_dir=inside(settings.cache_dir),
    )


def first_beat(settings: Settings, home: str) -> Beat:
    """Return what this worker says of itself."""
    name = os.uname().nodename
    where = f"{name}\n{boot_id()}\n{pid_namespace()}\n{settings.state_dir}"
    place = hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Beat(
        worker=f"{place}-{secrets.token_hex(4)}",
        place=place,
        host=name,
        process=own_identity(),
        number=0,
        home=home,
        jobs=settings.jobs,
        room=settings.jobs + settings.fetch_ahead,
    )
