"""A campaign: puts its parts together, starts it, and lets its events happen until each run has ended.

source  ──> dispatch ──> attempts ──┐
   ^            ^                   │
   └────────────┴───── ended ───────┘       losses end attempts before their time
"""

from dataclasses import replace

import numpy as np

from benchmarks.campaign.agenda import Agenda
from benchmarks.campaign.attempts import Attempts
from benchmarks.campaign.coordinator import Coordinator
from benchmarks.campaign.dispatch import Dispatch
from benchmarks.campaign.figures import Figures, use_of
from benchmarks.campaign.losses import Losses
from benchmarks.campaign.machines import make_hosts
from benchmarks.campaign.runs import PassingFailures, Run
from benchmarks.campaign.scenario import WORKERS, Scenario
from benchmarks.campaign.servers import Servers
from benchmarks.campaign.tasks import Tasks
from wort_cli.model.failure import Reason


class Simulation:
    """One campaign."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.figures = Figures()
        self.servers = Servers(scenario)
        self._agenda = Agenda()
        rng = np.random.default_rng(scenario.seed)
        self._source = (Coordinator if scenario.engine == WORKERS else Tasks)(scenario, rng, self.figures)
        self.hosts = make_hosts(scenario)
        failures = PassingFailures(scenario.passing, rng.spawn(1)[0])
        self.attempts = Attempts(
            scenario,
            self._agenda,
            self.servers,
            failures,
            self.figures,
            claim=self._source.claimed,
            ended=self._ended,
        )
        self.dispatch = Dispatch(
            scenario,
            self._agenda,
            self._source,
            self.figures,
            begin=self.attempts.begin,
            admission=self.attempts.admission,
        )
        self._losses = Losses(scenario, self._agenda, self._source, self.attempts, self.dispatch, self.figures)

    def run(self) -> Figures:
        """Simulate until each run has ended; return the figures."""
        for host in self.hosts:
            self._losses.plan(host, 0.0)
            for worker in host.workers:
                self.dispatch.fill(worker, 0.0)
        self._agenda.run(lambda: self.dispatch.left > 0)
        self.figures.machine_seconds = sum(host.busy_until for host in self.hosts)
        return self.figures

    def _ended(self, run: Run, reason: Reason | None, now: float) -> None:
        self.dispatch.ended(run, reason, now)
        if not self.figures.at_90 and self.dispatch.left <= 0.1 * self.scenario.runs:
            self.figures.at_90 = self._use(now)

    def _use(self, now: float) -> dict[str, float]:
        """Return how busy everything was until now, as a share of what it can do."""
        pipes = {
            "cores": self.attempts.cores,
            "connections of each machine": [host.link for host in self.hosts],
            "rate of the archive": [self.servers.archive],
            "locator": [self.servers.locator],
        }
        if isinstance(self._source, Coordinator):
            pipes["coordinator"] = [self._source.cpu]
        return use_of(pipes, now)


def simulate(scenario: Scenario, **changes: object) -> Figures:
    """Simulate a campaign; `changes` are fields of its scenario."""
    return Simulation(replace(scenario, **changes)).run()  # type: ignore[arg-type]
