"""What the daemon tells of itself: after its turns, at most once a second, and at once when something goes wrong.

Beside that it proves now and then that the ledger can be written: an idle daemon would not notice otherwise.
"""

import logging
import os
import time
from collections import deque

from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.metrics_process import MetricsProcess
from wort_cli.daemon.workers import Workers
from wort_cli.errors import StorageProblem
from wort_cli.health.health_file import Health, HealthFile
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings

TELL_EVERY = 1.0
PROVE_EVERY = 30.0
"""Seconds."""
OF_LATE = 1000
"""Turns."""

log = logging.getLogger(__name__)


class HealthWriter:
    """Takes note of turns, and tells."""

    def __init__(self, settings: Settings, ledger: Ledger, workers: Workers, coordinator: Coordinator) -> None:
        self._file = HealthFile(settings.health_file)
        self._metrics = MetricsProcess(settings)
        self._ledger = ledger
        self._workers = workers
        self._coordinator = coordinator
        self._turns = 0
        self._durations: deque[float] = deque(maxlen=OF_LATE)
        self._trouble = ""
        self._trouble_since = 0.0
        self._told_at = self._proved_at = -PROVE_EVERY
        self._damaged = False

    def use(self, settings: Settings) -> None:
        """Go by these settings from now on."""
        self._metrics.use(settings)

    def turned(self, began: float, trouble: str) -> None:
        """A turn that began at `began` (monotonic) has ended, with trouble or ''."""
        now = time.monotonic()
        self._turns += 1
        self._durations.append(now - began)
        if not trouble and now - self._proved_at > PROVE_EVERY:
            trouble = self._prove_ledger()
            self._proved_at = now
        trouble = trouble or self._coordinator.damage
        news = bool(trouble) != bool(self._trouble)
        if trouble and not self._trouble:
            self._trouble_since = time.time()
        self._trouble = trouble
        if news or now - self._told_at >= TELL_EVERY:
            self._told_at = now
            self._tell(now)
        self._metrics.keep()

    def close(self) -> None:
        """No more is told."""
        self._metrics.stop()
        self._file.close()

    def _prove_ledger(self) -> str:
        try:
            self._ledger.controls.write_timestamp()
        except StorageProblem as problem:
            log.error("%s (%s)", problem.sentence, problem.hint)
            return problem.sentence
        return ""

    def _tell(self, now: float) -> None:
        alive, wanted = self._workers.alive()
        health = Health(
            pid=os.getpid(),
            turned_at=now,
            turns=self._turns,
            last=self._durations[-1],
            mean=sum(self._durations) / len(self._durations),
            longest=max(self._durations),
            workers=alive,
            workers_wanted=wanted,
            trouble=self._trouble,
            trouble_since=self._trouble_since if self._trouble else 0.0,
            blocked_by=self._coordinator.blocked_by,
        )
        try:
            self._file.write(health)
            self._damaged = False
        except OSError as error:  # whoever reads it finds that it is old
            if not self._damaged:
                log.error("the daemon's health can't be written: %s", error)
            self._damaged = True
