"""Gives runs to workers that have room, and records the result of each run.

Where runs come from, and go to if they are to be retried, is the coordinator's or the task lists' business (`Source`).
Runs that fit on no machine are not tried again: they would wait without end.
"""

import math
from collections.abc import Callable
from typing import Protocol

from benchmarks.campaign.agenda import Agenda
from benchmarks.campaign.decisions import Admission
from benchmarks.campaign.figures import Figures
from benchmarks.campaign.machines import Worker
from benchmarks.campaign.runs import Run
from benchmarks.campaign.scenario import Scenario
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.lease import Silence
from wort_cli.pipeline.reservations import Need
from wort_cli.pipeline.resources import SEALED


class Source(Protocol):
    """A source of runs for workers: a coordinator, or the lists of the tasks of a batch system."""

    def next(self, worker: Worker) -> Run | None:
        """Return the run that a worker starts next; None if there is none at the moment."""
        ...

    def claimed(self, now: float) -> float:
        """Return when a run starts that a worker is free for."""
        ...

    def failed(self, run: Run, reason: Reason, now: float) -> tuple[JobState, str]:
        """Return the state of a run after a failure, and the reason; keep one that is to be retried."""
        ...

    def done(self, run: Run) -> None:
        """Note that a run has a signature."""
        ...

    def forget(self, run: Run) -> None:
        """Do not retry a run that is kept."""
        ...

    def next_wake(self, now: float, *, idle: bool) -> float | None:
        """Return when runs that are kept are looked at next; `idle` is whether workers wait for one."""
        ...

    def wake(self, now: float) -> bool:
        """Have the runs started again whose time has come; return whether there are any."""
        ...

    def give_back(self, worker: Worker) -> None:
        """Have others do what a worker had yet to start, because its machine is lost."""
        ...

    def noticed_at(self, now: float) -> float:
        """Return when it is first looked whether an attempt is lost whose machine is lost now."""
        ...

    def look(self, run: Run, silent_for: float) -> Silence:
        """Return what follows from the silence of a run's machine; keep the run if it is to start again."""
        ...


class Dispatch:
    """See above.  `begin` starts an attempt of a run on a worker."""

    def __init__(
        self,
        scenario: Scenario,
        agenda: Agenda,
        source: Source,
        figures: Figures,
        *,
        begin: Callable[[Run, Worker, float], None],
        admission: Admission,
    ) -> None:
        self.left = scenario.runs
        """Runs that have not ended."""
        self._scenario = scenario
        self._agenda = agenda
        self._source = source
        self._figures = figures
        self._begin = begin
        self._admission = admission
        self._idle: dict[int, Worker] = {}
        """Workers that have room, but no run."""
        self._wake_at = math.inf

    # ---- Runs for workers

    def fill(self, worker: Worker, now: float) -> None:
        """Start runs on a worker until it has enough, or there are none."""
        while worker.attempts < worker.most and worker.host.up:
            run = self._source.next(worker)
            if run is None:
                self._idle[id(worker)] = worker
                self.wake_later(now)
                return
            self._begin(run, worker, now)

    def fill_idle(self, now: float) -> None:
        """Start runs on workers that have room, those first that have waited longest, until there are no more runs."""
        idle, self._idle = list(self._idle.values()), {}
        for number, worker in enumerate(idle, 1):
            self.fill(worker, now)
            if self._idle:
                self._idle = {id(other): other for other in idle[number:]} | self._idle
                return

    def take_away(self, worker: Worker) -> None:
        """Give no runs to a worker whose machine is lost."""
        self._idle.pop(id(worker), None)

    def wake_later(self, now: float) -> None:
        """Have those runs looked at that wait, when it is time."""
        at = self._source.next_wake(now, idle=bool(self._idle))
        if at is not None and at < self._wake_at:
            self._wake_at = at
            self._agenda.add(at, self._wake, None)

    def _wake(self, _: object, __: int, now: float) -> None:
        self._wake_at = math.inf
        if self._source.wake(now):
            self.fill_idle(now)
        self.wake_later(now)

    # ---- The end of attempts and runs

    def ended(self, run: Run, reason: Reason | None, now: float) -> None:
        """Note how an attempt ended, and give its worker something to do."""
        worker = run.worker
        assert worker is not None
        if reason is None:
            self.done(run, now)
        else:
            self.failed(run, reason, now)
        self.fill(worker, now)

    def done(self, run: Run, now: float) -> None:
        """Count a run that has a signature."""
        self._source.done(run)
        self._figures.bases.add(now, run.bases)
        self._figures.puts += 2
        self._figures.stored += 3 * run.bases * self._scenario.distinct / 1000 * SEALED
        self.count_end(JobState.DONE, "", now)

    def failed(self, run: Run, reason: Reason, now: float) -> None:
        """Count a failure; the run has ended unless it is retried."""
        self._figures.failures[reason] += 1
        state, why = self._source.failed(run, reason, now)
        if state is not JobState.WAITING:
            self.count_end(state, why, now)
        elif lack := self._lack_anywhere(run):
            self._source.forget(run)
            self.count_end(state, lack, now)
        self.wake_later(now)

    def _lack_anywhere(self, run: Run) -> Reason | None:
        """Return what every machine lacks for a run, also while it runs nothing else; None if it fits."""
        if run.bases <= self._admission.small:
            return None
        return self._admission.shortage(self._admission.need(run.bases), Need())

    def count_end(self, state: JobState, reason: str, now: float) -> None:
        """Count a run that has ended permanently."""
        self.left -= 1
        self._figures.outcomes[state, reason] += 1
        self._figures.ended.add(now, 1)
