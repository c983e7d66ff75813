"""Housekeeping: what the daemon does beside its jobs so that months of work leave no more behind than is meant to stay.

Once when it starts and every hour: workspaces and logs of jobs that have ended, partial files of writers that died, old
events.  This is done in steps of a few milliseconds between the coordinator's turns.  A copy of the ledger, which takes
as long as it takes, is made by a child process that the daemon waits for without standing still.
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
from wort_cli.upkeep.backups import make_copy, newest_at
from wort_cli.upkeep.event_pruning import prune
from wort_cli.upkeep.leftovers import clear, leftovers
from wort_cli.upkeep.retention import copy_is_due

EVERY = 3600.0
"""Seconds from the end of one round to the next."""
BUDGET = 0.005
"""Seconds that are spent between two turns, at most, but for a step that takes longer."""
LOOK_EVERY = 60.0
"""Seconds between looks whether the ledger is to be copied."""

log = logging.getLogger(__name__)


class Housekeeper:
    """Goes its rounds, a step at a time; `at_work` gives the jobs that workers have."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        at_work: Callable[[], Collection[int]],
        before_fork: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._at_work = at_work
        self._before_fork = before_fork
        self._round: Iterator[None] | None = None
        self._next_round = 0.0
        self._copying: BaseProcess | None = None
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Go by these settings from now on; a round that has begun goes by what it began with."""
        self._settings = settings
        self._look = min(LOOK_EVERY, settings.backup_hours * 3600)
        self._next_look = time.monotonic() + self._look

    def step(self) -> None:
        """Do a little of what there is to do."""
        now = time.monotonic()
        if self._round is None and now >= self._next_round:
            self._round = go_round(self._ledger, self._settings, self._at_work)
        if self._round is not None:
            self._go_on(self._round, now + BUDGET)
        if now >= self._next_look:
            self._next_look = now + self._look
            self._see_to_the_copy()

    def stop(self) -> None:
        """Leave it at that; a copy that is not finished is thrown away."""
        if self._copying is not None:
            self._copying.terminate()
            self._copying.join()

    def _go_on(self, steps: Iterator[None], until: float) -> None:
        try:
            for _ in steps:
                if time.monotonic() > until:
                    return
        except (WortError, OSError) as error:
            log.warning("housekeeping was interrupted: %s", error)
        self._round, self._next_round = None, time.monotonic() + EVERY

    def _see_to_the_copy(self) -> None:
        if self._copying is not None:
            if self._copying.is_alive():
                return
            self._copying.join()
            self._copying = None
        newest = newest_at(self._settings.backup_dir)
        if self._settings.backups and copy_is_due(newest, time.time(), self._settings.backup_hours):
            self._before_fork()
            self._copying = multiprocessing.get_context("fork").Process(
                target=copy_for_the_daemon, args=(self._settings,), name="backup", daemon=True
            )
            self._copying.start()


def go_round(ledger: Ledger, settings: Settings, at_work: Callable[[], Collection[int]]) -> Iterator[None]:
    """One round, step by step."""
    removed = 0
    for found in leftovers(ledger, settings, at_work):
        if found is not None and found.remove():
            removed += 1
            log.info("removed %s: %s", found.path, found.why)
        yield
    yield from clear(settings)
    pruned = 0
    for number in prune(ledger.storage, settings.keep_events, settings.keep_events_in_all):
        pruned += number
        yield
    if removed or pruned:
        log.info("housekeeping: %d left over, %d old events removed", removed, pruned)


def end_it(number: int, _: FrameType | None) -> None:
    """Handles a signal."""
    raise Terminated(signal.Signals(number).name)


def copy_for_the_daemon(settings: Settings) -> None:
    """Copy the ledger; in a process of its own, which SIGTERM ends without leaving half a copy."""
    signal.signal(signal.SIGTERM, end_it)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, for the daemon: it tells us
    os.nice(10)
    ledger = Ledger(settings.ledger_file)
    try:
        made = make_copy(ledger, settings.backup_dir, settings.backups)
        log.info("copied the ledger to %s: %d jobs, %d signatures", made.path, made.jobs, made.signatures)
    except WortError as error:
        log.error("the ledger was not copied: %s (%s)", error.sentence, error.hint)
    except Terminated:
        log.info("the ledger was not copied: the daemon ends")
    finally:
        ledger.close()
