"""Records the results of the daemon's attempts in the ledger."""

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from wort_cli.daemon.admission_watch import AdmissionWatch
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState, Progress
from wort_cli.model.job_result import JobResult
from wort_cli.settings import Settings
from wort_cli.upkeep.ended_workspace import remove_ended_workspace

log = logging.getLogger(__name__)


class LedgerOutcomes:
    """See Outcomes.  `jitter` returns random numbers in [0, 1) that spread retries."""

    def __init__(
        self,
        ledger: Ledger,
        admission: AdmissionWatch,
        settings: Settings,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._admission = admission
        self._jitter = jitter
        self._is_together = False
        self._finished: list[tuple[JobResult, JobState | None]] = []
        """Results, and the states of their jobs, that the ledger has or will have at the end of `together`."""
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings from now on."""
        self._settings = settings
        self.policy = RetryPolicy.of(settings)

    @contextmanager
    def together(self) -> Iterator[None]:
        """See Outcomes.  Workspaces are removed after the commit."""
        self._is_together = True
        try:
            with self._ledger.storage.transaction():
                yield
        except BaseException:
            self._finished.clear()
            raise
        finally:
            self._is_together = False
        self._settle()

    def expected(self) -> Mapping[int, int]:
        """See Outcomes."""
        return {claim.job_id: claim.attempt for claim in self._ledger.attempts.running()}

    def report_progress(self, job_id: int, attempt: int, progress: Progress) -> None:
        """See Outcomes."""
        self._ledger.attempts.report_progress(job_id, attempt, progress)

    def extend_lease(self, job_id: int, attempt: int) -> None:
        """See Outcomes."""
        self._ledger.attempts.extend_lease(job_id, attempt, self._settings.lease)

    def finish(self, result: JobResult) -> None:
        """See Outcomes."""
        if result.failure and result.failure.reason is Reason.DISK_ERROR:
            self._admission.check_disks_now()
        state = self._ledger.attempts.finish(result, self.policy, self._jitter())
        self._finished.append((result, state))
        if not self._is_together:
            self._settle()

    def _settle(self) -> None:
        """Log what has ended, and remove its workspaces, now that the ledger has it."""
        finished, self._finished = self._finished, []
        for result, state in finished:
            if state is not None and not state.is_live:
                remove_ended_workspace(result.job_id, self._ledger, self._settings, result.failure)
            failure = result.failure
            why = f" ({failure.reason}: {failure.detail})" if failure else ""
            ended_as = state or "result ignored, too late"
            log.info("job %d, attempt %d: %s%s", result.job_id, result.attempt, ended_as, why)

    def requeue(self, job_id: int, attempt: int, why: str) -> None:
        """See Outcomes."""
        self._ledger.attempts.requeue(job_id, attempt, why)

    def requeue_if_advanced(self, job_id: int, attempt: int, work: int, why: str) -> bool:
        """See Outcomes."""
        return self._ledger.attempts.requeue_if_advanced(job_id, attempt, work, why)

    def discard(self, job_id: int) -> None:
        """See Outcomes."""
        remove_ended_workspace(job_id, self._ledger, self._settings)
