"""Machines that are taken away, with all attempts that run on them, and replaced."""

import random

from benchmarks.campaign.agenda import Agenda
from benchmarks.campaign.attempts import Attempts
from benchmarks.campaign.dispatch import Dispatch, Source
from benchmarks.campaign.figures import Figures
from benchmarks.campaign.machines import Host
from benchmarks.campaign.runs import Run
from benchmarks.campaign.scenario import Scenario
from wort_cli.daemon.remote.site import LOOK_EVERY
from wort_cli.model.failure import Reason
from wort_cli.model.lease import Silence


class Losses:
    """Takes machines away at random times, which are drawn from the seed."""

    def __init__(
        self,
        scenario: Scenario,
        agenda: Agenda,
        source: Source,
        attempts: Attempts,
        dispatch: Dispatch,
        figures: Figures,
    ) -> None:
        self._machine = scenario.machine
        self._agenda = agenda
        self._source = source
        self._attempts = attempts
        self._dispatch = dispatch
        self._figures = figures
        self._random = random.Random(scenario.seed)

    def plan(self, host: Host, now: float) -> None:
        """Draw when a machine is taken away."""
        if rate := self._machine.preempted_per_hour:
            self._agenda.add(now + 3600 * self._random.expovariate(rate), self._take_away, host)

    def _take_away(self, host: Host, _: int, now: float) -> None:
        runs = list(host.running.values())
        self._figures.lost += len(runs)
        for run in runs:
            self._attempts.lose(run, now)
        host.up, host.busy_until = False, now
        for worker in host.workers:
            worker.forget_attempts()
            self._dispatch.take_away(worker)
            self._source.give_back(worker)
        self._agenda.add(now + self._machine.replaced_after, self._replace, host)
        noticed_at = self._source.noticed_at(now)
        for run in runs:
            run.silent_since = now
            self._agenda.add(noticed_at, self._look, run, run.epoch)
        self._dispatch.wake_later(now)

    def _look(self, run: Run, epoch: int, now: float) -> None:
        """Look whether an attempt counts as lost; start its run again, or have it fail."""
        assert epoch == run.epoch, "a run was started whose attempt nobody knew to be lost"
        silence = self._source.look(run, now - run.silent_since)
        if silence is Silence.WAIT:
            self._agenda.add(now + LOOK_EVERY, self._look, run, epoch)
        elif silence is Silence.REQUEUE:
            self._dispatch.fill_idle(now)
        else:
            self._dispatch.failed(run, Reason.INTERRUPTED, now)

    def _replace(self, host: Host, _: int, now: float) -> None:
        host.up = True
        self.plan(host, now)
        for worker in host.workers:
            self._dispatch.fill(worker, now)
