"""A batch system runs tasks: `wort plan` has split the runs into lists, and a task computes those of its list in turn.

Runs that failed for a while are collected, and planned again when all lists are done, as a user would with the reports.
A task whose machine is lost is started again by the batch system, and finds in the bucket what it had published.
"""

import random
from collections import deque

import numpy as np

from benchmarks.campaign.decisions import after_failure, lists_of
from benchmarks.campaign.figures import Figures
from benchmarks.campaign.machines import Worker
from benchmarks.campaign.runs import BLOCK, Run, draw_runs
from benchmarks.campaign.scenario import Scenario
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.lease import Silence


class Tasks:
    """The lists of all tasks; a block of runs is planned when its turn comes."""

    def __init__(self, scenario: Scenario, rng: np.random.Generator, figures: Figures) -> None:
        self._figures = figures
        self._jitter = random.Random(scenario.seed)
        self._bases_per_task = scenario.bases_per_task
        self._runs = draw_runs(scenario, scenario.runs, 1, rng.spawn(1)[0])
        self._planned: deque[list[Run]] = deque()
        self._again: list[Run] = []
        """Runs to plan again."""
        self._at_work = 0
        """Runs that a task has, now or later."""

    def next(self, worker: Worker) -> Run | None:
        """Return the next run of a worker's list, or the first of another list; None if there is none at the moment."""
        if not worker.list:
            if not self._planned:
                self._plan()
            if not self._planned:
                return None
            worker.list = self._planned.popleft()
        return worker.list.pop()

    def _plan(self) -> None:
        """Plan the next block of runs; the last one of those that failed, once all others are done."""
        block = [run for _, run in zip(range(BLOCK), self._runs, strict=False)]
        if not block and self._at_work == 0:
            block, self._again = self._again, []
        if not block:
            return
        self._at_work += len(block)
        for positions in lists_of([run.bases for run in block], self._bases_per_task):
            self._figures.tasks += 1
            self._planned.append([block[n] for n in reversed(positions)])

    def claimed(self, now: float) -> float:
        """Return when a task starts a run: at once."""
        return now

    def failed(self, run: Run, reason: Reason, now: float) -> tuple[JobState, str]:
        """Return the state of a run after a failure, and the reason; one that may be retried is kept here."""
        decision = after_failure(run, reason, now, self._jitter)
        self._at_work -= 1
        if decision.state is JobState.WAITING:
            self._again.append(run)
            self._figures.most_waiting = max(self._figures.most_waiting, len(self._again))
        return decision.state, Reason.SET_ASIDE if decision.set_aside else reason

    def done(self, run: Run) -> None:
        """Note that a run has a signature."""
        self._at_work -= 1

    def forget(self, run: Run) -> None:
        """Do not plan a run again."""
        self._again.remove(run)

    def noticed_at(self, now: float) -> float:
        """Return when the batch system notices that a machine is lost: at once."""
        return now

    def look(self, run: Run, silent_for: float) -> Silence:
        """Have a task start the run again, on another machine."""
        self._planned.appendleft([run])
        return Silence.REQUEUE

    def give_back(self, worker: Worker) -> None:
        """Have another worker continue the list of one whose machine is lost."""
        if worker.list:
            self._planned.appendleft(worker.list)
            self._figures.looked_up += len(worker.list)
            worker.list = []

    def next_wake(self, now: float, *, idle: bool) -> float | None:
        """Return when workers without a run look again: if any are `idle`, when there are lists, or may be."""
        may_plan = self._again and self._at_work == 0
        return now if idle and (self._planned or may_plan) else None

    def wake(self, now: float) -> bool:
        """Return whether a worker may find a run."""
        return True
