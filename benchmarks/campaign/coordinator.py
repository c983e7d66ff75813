"""One coordinator (`wort daemon`) gives runs to the workers on all machines (`wort worker`), one by one.

It takes them in the order of its ledger, retries those that failed, and queues those again whose worker is silent.
"""

import heapq
import math
import random
from collections.abc import Iterator

import numpy as np

from benchmarks.campaign.decisions import SETTINGS, after_failure, after_silence, order_of_ledger
from benchmarks.campaign.figures import Figures
from benchmarks.campaign.machines import Worker
from benchmarks.campaign.pipes import Pipe
from benchmarks.campaign.runs import Run, draw_runs
from benchmarks.campaign.scenario import Scenario
from wort_cli.daemon.coordinator import WAKE_EVERY
from wort_cli.daemon.remote.site import LOOK_EVERY
from wort_cli.ledger.attempts import WAKE_LIMIT
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.lease import Silence


class Coordinator:
    """The jobs of the ledger; runs that were never started are drawn when their turn comes."""

    def __init__(self, scenario: Scenario, rng: np.random.Generator, figures: Figures) -> None:
        self._figures = figures
        self._jitter = random.Random(scenario.seed)
        self.cpu = Pipe(1 / scenario.per_job if scenario.per_job else math.inf)
        self._order = order_of_ledger()
        self._fresh: list[tuple[int, Iterator[Run]]] = []
        """Priorities, the highest first, and their runs that were never started."""
        first, left = 1, scenario.runs
        classes = sorted(scenario.priorities, reverse=True)
        for n, (priority, share) in enumerate(classes):
            number = left if n == len(classes) - 1 else round(share * scenario.runs)
            self._fresh.append((priority, draw_runs(scenario, number, first, rng.spawn(1)[0])))
            first, left = first + number, left - number
        self._heads: list[tuple[tuple[int, ...], Run, int]] = []
        """The first run of each priority."""
        for n in range(len(self._fresh)):
            self._take_fresh(n)
        self._queued: list[tuple[tuple[int, ...], Run]] = []
        """Runs that were started before."""
        self._priorities = dict[int, int]()
        """The priorities other than 0 of runs that were started and have not ended."""
        self._waiting: list[tuple[float, int, Run]] = []
        """Runs that wait, by the times at which they are due."""
        self._forgotten = set[int]()
        self._woken_at = -math.inf

    def _take_fresh(self, n: int) -> None:
        priority, runs = self._fresh[n]
        run = next(runs, None)
        if run is not None:
            heapq.heappush(self._heads, (self._order(priority, run.id), run, n))

    def next(self, worker: Worker) -> Run | None:
        """Return the job that starts next; None if none is queued."""
        if self._queued and (not self._heads or self._queued[0][0] < self._heads[0][0]):
            return heapq.heappop(self._queued)[1]
        if not self._heads:
            return None
        _, run, n = heapq.heappop(self._heads)
        if self._fresh[n][0]:
            self._priorities[run.id] = self._fresh[n][0]
        self._take_fresh(n)
        return run

    def claimed(self, now: float) -> float:
        """Return when the coordinator has started a job that a worker is free for."""
        self._figures.claims += 1
        return self.cpu.serve(now)

    def failed(self, run: Run, reason: Reason, now: float) -> tuple[JobState, str]:
        """Return the state of a job after a failure, and the reason; one that waits is kept here."""
        run.silences = 0  # the ledger counts a failure, and the silences before it no more
        decision = after_failure(run, reason, now, self._jitter)
        if decision.state is JobState.WAITING:
            heapq.heappush(self._waiting, (now + decision.delay, run.id, run))
            self._forgotten.discard(run.id)
            self._figures.most_waiting = max(self._figures.most_waiting, len(self._waiting))
        else:
            self._priorities.pop(run.id, None)
        return decision.state, Reason.SET_ASIDE if decision.set_aside else reason

    def done(self, run: Run) -> None:
        """Note that a run has a signature."""
        self._priorities.pop(run.id, None)

    def forget(self, run: Run) -> None:
        """Do not queue a run again that waits."""
        self._forgotten.add(run.id)

    def give_back(self, worker: Worker) -> None:
        """Do nothing: a worker has no list."""

    def noticed_at(self, now: float) -> float:
        """Return when the coordinator first looks after the lease of a worker that is silent from now on has ended."""
        return now + SETTINGS.worker_lease + LOOK_EVERY

    def look(self, run: Run, silent_for: float) -> Silence:
        """Return what follows from the silence of a run's worker; queue the run again if that is what follows."""
        silence = after_silence(silent_for, run.silences)
        if silence is Silence.REQUEUE:
            run.silences += 1
            self._queue(run)
        return silence

    def _queue(self, run: Run) -> None:
        """Queue a run that was started before."""
        heapq.heappush(self._queued, (self._order(self._priorities.get(run.id, 0), run.id), run))

    def next_wake(self, now: float, *, idle: bool) -> float | None:
        """Return when waiting jobs are looked at next; None if none wait."""
        return max(self._waiting[0][0], self._woken_at + WAKE_EVERY, now) if self._waiting else None

    def wake(self, now: float) -> bool:
        """Queue jobs again whose time has come, as many as the ledger does at once; return whether there were any."""
        self._woken_at = now
        number = 0
        while self._waiting and self._waiting[0][0] <= now and number < WAKE_LIMIT:
            _, _, run = heapq.heappop(self._waiting)
            if run.id in self._forgotten:
                continue
            self._queue(run)
            number += 1
        return number > 0
