"""Writes the daemon's health file: after a turn, at most once a second, and at once when trouble starts or ends.

It also writes to the ledger now and then, because an idle daemon would not notice that the ledger cannot be written.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.metrics_process import MetricsProcess
from wort_cli.daemon.network_watch import NetworkWatch
from wort_cli.daemon.server_process import ServerProcess
from wort_cli.errors import StorageProblem
from wort_cli.health.health_file import Health, HealthFile
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import SPREAD, RetryPolicy
from wort_cli.model.failure import Reason
from wort_cli.settings import Settings
from wort_cli.system.machine import killed_for_memory
from wort_cli.system.process_identity import own_identity

WRITE_EVERY = 1.0
"""Seconds between writes of the health file."""
WRITE_LEDGER_EVERY = 30.0
"""Seconds between test writes to the ledger."""
REFUSED_WITHIN = RetryPolicy().max_delay * (1 + SPREAD) + 60.0
"""Seconds in which a job that the locator refuses is tried again at least once."""
RECENT_TURNS = 1000
"""Turns over which durations are averaged."""

log = logging.getLogger(__name__)


class HealthWriter:
    """Collects the durations and the trouble of turns, and writes them to the health file."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        count_alive: Callable[[], tuple[int, int]],
        coordinator: Coordinator,
        *,
        clock: Callable[[], float] = time.monotonic,
        network: NetworkWatch | None = None,
        server: ServerProcess | None = None,
    ) -> None:
        self._clock = clock
        self._network = network or NetworkWatch(settings)
        self._server = server or ServerProcess(settings)
        self._file = HealthFile(settings.health_file)
        self._metrics = MetricsProcess(settings)
        self._ledger = ledger
        self._count_alive = count_alive
        self._coordinator = coordinator
        self._process = own_identity()
        self._turns = 0
        self._durations: deque[float] = deque(maxlen=RECENT_TURNS)
        self._trouble = ""
        self._trouble_since = 0.0
        self._wrote_at = self._wrote_ledger_at = float("-inf")
        self._write_failed = False
        self._asked_at = float("-inf")
        self._refused = ""

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings from now on."""
        self._metrics.reconfigure(settings)
        self._network.reconfigure(settings)

    def record_turn(self, started: float, trouble: str) -> None:
        """Record a turn that has just ended; `started` is a monotonic time, `trouble` is empty if it succeeded."""
        now = self._clock()
        self._turns += 1
        self._durations.append(now - started)
        if not trouble and now - self._wrote_ledger_at > WRITE_LEDGER_EVERY:
            trouble = self._write_to_ledger()
            self._wrote_ledger_at = now
        trouble = trouble or self._coordinator.disk_damage or self._network.silent_archives or self._refusal(now)
        changed = bool(trouble) != bool(self._trouble)
        if trouble and not self._trouble:
            self._trouble_since = time.time()
        self._trouble = trouble
        if changed or now - self._wrote_at >= WRITE_EVERY:
            self._wrote_at = now
            self._write(now)
        self._metrics.ensure_running()

    def close(self) -> None:
        """Stop the metrics process and close the file."""
        self._metrics.stop()
        self._file.close()

    def _refusal(self, now: float) -> str:
        """Return why a service refuses the requests of all jobs; empty if none does."""
        if now - self._asked_at >= WRITE_EVERY:
            self._asked_at = now
            try:
                found = self._find_refusal()
            except StorageProblem:  # the next test write reports it
                found = ""
            if found and not self._refused:
                log.error("%s", found)
            self._refused = found
        return self._refused

    def _find_refusal(self) -> str:
        counts = self._ledger.counts
        if found := counts.only_reason_since(time.time() - REFUSED_WITHIN, Reason.LOCATOR_REFUSED):
            return f"NCBI's locator refuses the requests of all jobs: {found}"
        for reason in (Reason.STORAGE_CREDENTIALS, Reason.STORAGE_DENIED):
            if found := counts.last_reason(reason):
                return f"no signature can be published: {found}"
        return ""

    def _write_to_ledger(self) -> str:
        try:
            self._ledger.controls.write_timestamp()
        except StorageProblem as problem:
            log.error("%s (%s)", problem.sentence, problem.hint)
            return problem.sentence
        return ""

    def _write(self, now: float) -> None:
        alive, wanted = self._count_alive()
        server = self._server.state
        health = Health(
            pid=self._process.pid,
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
            killed_for_memory=killed_for_memory(),
            server_url=server.url,
            server_link=server.link,
            server_pid=server.pid,
            server_since=server.since,
            server_ended=server.ended,
            server_error=server.error,
            boot=self._process.boot,
            started=self._process.started,
        )
        try:
            self._file.write(health)
            self._write_failed = False
        except OSError as error:  # readers see that the file is out of date
            if not self._write_failed:
                log.error("the health file cannot be written: %s", error)
            self._write_failed = True
