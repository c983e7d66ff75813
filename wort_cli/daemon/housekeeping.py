"""Housekeeping: removes files and events that are no longer needed, and backs the ledger up.

A round runs when the daemon starts and every hour.  It removes workspaces and logs of ended jobs, partial files of dead
writers, and old events, in steps of a few milliseconds between the coordinator's turns.  A backup may take long, so a
child process makes it, and the daemon does not wait for that.
"""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from multiprocessing.process import BaseProcess
from types import FrameType

from wort_cli.errors import Terminated, WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.upkeep.backups import make_backup, newest_backup_time
from wort_cli.upkeep.event_pruning import prune
from wort_cli.upkeep.leftovers import finish_removals, leftovers
from wort_cli.upkeep.retention import backup_is_due

ROUND_EVERY = 3600.0
"""Seconds from the end of one round to the start of the next."""
STEP_BUDGET = 0.005
"""Seconds that may be spent between two turns; a single step may take longer."""
CHECK_BACKUP_EVERY = 60.0
"""Seconds between checks whether a backup is due."""

log = logging.getLogger(__name__)


class Housekeeper:
    """Runs rounds of housekeeping, one step at a time.

    `running_jobs` returns the numbers of the jobs that workers have, whose files are not touched.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        running_jobs: Callable[[], Collection[int]],
        before_fork: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._running_jobs = running_jobs
        self._before_fork = before_fork
        self._round: Iterator[None] | None = None
        self._next_round = float("-inf")
        self._backup: BaseProcess | None = None
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings to the next round; the current round keeps the settings it started with."""
        self._settings = settings
        self._check_backup_every = min(CHECK_BACKUP_EVERY, settings.backup_hours * 3600)
        self._next_backup_check = self._clock() + self._check_backup_every

    def step(self) -> None:
        """Continue the round for a few milliseconds, and start a backup if one is due."""
        now = self._clock()
        if self._round is None and now >= self._next_round:
            self._round = housekeeping_round(self._ledger, self._settings, self._running_jobs)
        if self._round is not None:
            self._continue_round(self._round, now + STEP_BUDGET)
        if now >= self._next_backup_check:
            self._next_backup_check = now + self._check_backup_every
            self._start_backup_if_due()

    def stop(self) -> None:
        """Stop a running backup, which removes its unfinished file."""
        if self._backup is not None:
            self._backup.terminate()
            self._backup.join()

    def _continue_round(self, steps: Iterator[None], until: float) -> None:
        try:
            for _ in steps:
                if self._clock() > until:
                    return
        except (WortError, OSError) as error:
            log.warning("housekeeping was interrupted: %s", error)
        self._round, self._next_round = None, self._clock() + ROUND_EVERY

    def _start_backup_if_due(self) -> None:
        if self._backup is not None:
            if self._backup.is_alive():
                return
            self._backup.join()
            self._backup = None
        newest = newest_backup_time(self._settings.backup_dir)
        if self._settings.backups and backup_is_due(newest, time.time(), self._settings.backup_hours):
            self._before_fork()
            self._backup = multiprocessing.get_context("fork").Process(
                target=back_up_ledger, args=(self._settings,), name="backup", daemon=True
            )
            self._backup.start()


def housekeeping_round(
    ledger: Ledger, settings: Settings, running_jobs: Callable[[], Collection[int]]
) -> Iterator[None]:
    """Yield after each step of one round."""
    removed = 0
    for found in leftovers(ledger, settings, running_jobs):
        if found is not None and found.remove():
            removed += 1
            log.info("removed %s: %s", found.path, found.why)
        yield
    yield from finish_removals(settings)
    pruned = 0
    for number in prune(ledger.storage, settings.keep_events, settings.keep_events_in_all):
        pruned += number
        yield
    if removed or pruned:
        log.info("housekeeping removed %d leftovers and %d old events", removed, pruned)


def back_up_ledger(settings: Settings) -> None:
    """Back the ledger up.  Runs in a child process; SIGTERM stops it and leaves no partial backup."""
    signal.signal(signal.SIGTERM, raise_terminated)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the daemon too, which then sends SIGTERM
    os.nice(10)
    ledger = Ledger(settings.ledger_file)
    try:
        made = make_backup(ledger, settings.backup_dir, settings.backups)
        log.info("backed the ledger up to %s: %d jobs, %d signatures", made.path, made.jobs, made.signatures)
    except WortError as error:
        log.error("the ledger was not backed up: %s (%s)", error.sentence, error.hint)
    except Terminated:
        log.info("the ledger was not backed up: the daemon is stopping")
    finally:
        ledger.close()


def raise_terminated(number: int, _: FrameType | None) -> None:
    """Raise Terminated; a signal handler."""
    raise Terminated(signal.Signals(number).name)
