"""The life of the daemon: become the only one, start the workers, turn the coordinator until told to end.

SIGTERM and SIGINT end it: running jobs are interrupted and go back to the queue.  At SIGHUP it reads its settings
anew; so closing the terminal it was started from does not end it.
"""

import contextlib
import logging
import logging.handlers
import os
import signal
import sys
import time
from types import FrameType

from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.health_writer import HealthWriter
from wort_cli.daemon.housekeeping import Housekeeper
from wort_cli.daemon.log_file import FollowedLog
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.recovery import recover
from wort_cli.daemon.workers import Workers
from wort_cli.errors import StorageProblem, WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings, load_settings
from wort_cli.system.daemon_lock import sign, take_lock

BUSY_PAUSE, IDLE_PAUSE = 0.05, 0.2
"""Seconds between turns while workers have jobs, and while none has."""
TROUBLE_PAUSE = 5.0
"""Seconds until the next turn after one in which the ledger could not be used."""
LOG_SIZE, LOG_FILES = 5_000_000, 5

log = logging.getLogger(__name__)


def serve(settings: Settings, *, foreground: bool) -> None:
    """Be the daemon until a signal ends it.  DaemonAlreadyRunning if there is one; WortError if it can't start."""
    os.umask(0o077)
    settings.make_directories()
    lock = take_lock(settings.lock_file)
    # A child that outlived us for a moment must not hold the lock.
    os.register_at_fork(after_in_child=lambda: os.close(lock))
    start_logging(settings, foreground=foreground)
    ledger = Ledger(settings.ledger_file)
    recover(ledger, settings)
    jobs = ledger.controls.job_limit(settings.jobs)
    queue = WorkQueue.made_anew(settings.queue_file)

    def close_connections() -> None:
        ledger.close()
        queue.close()

    workers = Workers(queue, jobs, before_fork=close_connections)
    workers.start()
    told = Told()
    log.info("the daemon runs as process %d with %d jobs, home %s", os.getpid(), jobs, settings.data_dir)
    coordinator = Coordinator(ledger, queue, workers, settings)
    housekeeper = Housekeeper(ledger, settings, lambda: coordinator.jobs, close_connections)
    vitals = HealthWriter(settings, ledger, workers, coordinator)
    sign(lock)
    try:
        turn_until(told, coordinator, housekeeper, vitals)
    finally:
        log.info("the daemon ends")
        housekeeper.stop()
        workers.stop()
        coordinator.give_all_back()
        close_connections()
        vitals.close()
        log.info("the daemon has ended")


class Told:
    """What signals told this process: SIGTERM and SIGINT to end, SIGHUP to read its settings anew.

    A handler does no more than to note it: it may run in the midst of anything, with whatever lock that holds.
    """

    def __init__(self) -> None:
        self.to_end = ""
        self.to_reload = False
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)
        signal.signal(signal.SIGHUP, self._hear)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.to_reload = True
        else:
            self.to_end = signal.Signals(number).name

    def wait(self, seconds: float) -> None:
        """Let so much time pass, or less if something is told."""
        deadline = time.monotonic() + seconds
        while not (self.to_end or self.to_reload) and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, BUSY_PAUSE))


def turn_until(told: Told, coordinator: Coordinator, housekeeper: Housekeeper, vitals: HealthWriter) -> None:
    """Turn the coordinator; trouble with the disk is told and waited out, for jobs must not end because of it."""
    while not told.to_end:
        began, wrong = time.monotonic(), ""
        try:
            if told.to_reload:
                told.to_reload = False
                if (settings := settings_anew()) is not None:
                    coordinator.use(settings)
                    housekeeper.use(settings)
                    vitals.use(settings)
            coordinator.turn()
            housekeeper.step()
            pause = BUSY_PAUSE if coordinator.busy else IDLE_PAUSE
        except StorageProblem as trouble:
            log.error("%s (%s)", trouble.sentence, trouble.hint)
            pause, wrong = TROUBLE_PAUSE, trouble.sentence
        except Exception as error:
            log.exception("a turn failed; the jobs are in the ledger, trying again")
            pause, wrong = TROUBLE_PAUSE, f"a turn failed: {error!r}"
        if wrong:
            coordinator.excuse()
        vitals.turned(began, wrong)
        told.wait(pause)
    log.info("received %s", told.to_end)


def settings_anew() -> Settings | None:
    """The settings as they are now; None if they can't be used, and those that there are go on."""
    try:
        settings = load_settings()
    except WortError as error:
        log.error("the settings stay as they are: %s", error.sentence)
        return None
    log.info("the settings were read anew")
    return settings


def start_logging(settings: Settings, *, foreground: bool) -> None:
    """Log to the rotating file, and to stderr in the foreground.

    Only this process rotates; a worker, after the fork, follows the file by its name.
    """
    logging.raiseExceptions = False  # what a full disk does not take is not told to the terminal, traceback and all
    rotating = logging.handlers.RotatingFileHandler(settings.daemon_log, maxBytes=LOG_SIZE, backupCount=LOG_FILES)
    following = FollowedLog(settings.daemon_log, delay=True)
    handlers: list[logging.Handler] = [rotating, *([logging.StreamHandler(sys.stderr)] if foreground else [])]
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s")
    for handler in (*handlers, following):
        handler.setFormatter(formatter)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.handlers[:] = handlers
    for library in ("huey", "botocore", "boto3", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)

    def follow() -> None:
        with contextlib.suppress(OSError):  # a full disk does not take what is still to be written
            rotating.close()  # the child's copy
        root.handlers[:] = [following]

    os.register_at_fork(after_in_child=follow)
