"""Machines, and the workers on them.

With a coordinator, a machine has one worker (`wort worker`), which computes `jobs` runs at a time and fetches some more
ahead.  With a batch system, each of its tasks is a worker that computes one run at a time.
"""

from collections import deque

from benchmarks.campaign.pipes import Pipe
from benchmarks.campaign.runs import Run
from benchmarks.campaign.scenario import WORKERS, Scenario
from wort_cli.pipeline.reservations import Need


class Host:
    """A machine.  All of its workers share its connections, memory and disk."""

    __slots__ = ("busy_until", "index", "link", "reserved", "running", "up", "workers")

    def __init__(self, index: int, rate: float) -> None:
        self.index = index
        self.link = Pipe(rate)
        self.reserved = Need()
        """The resources that large runs have reserved."""
        self.running: dict[int, Run] = {}
        self.up = True
        self.workers: list[Worker] = []
        self.busy_until = 0.0
        """When its last attempt ended."""


class Worker:
    """Takes runs and computes `slots` of them at a time; `most` counts those too that are fetched ahead."""

    __slots__ = ("attempts", "free", "host", "list", "most", "slots", "waiting")

    def __init__(self, host: Host, slots: int, ahead: int) -> None:
        self.host = host
        self.slots = self.free = slots
        self.most = slots + ahead
        self.attempts = 0
        self.waiting: deque[tuple[Run, int]] = deque()
        """Attempts that wait for a slot: runs, and their epochs when they began to."""
        self.list: list[Run] = []
        """The rest of the list of its task, the last one first."""

    def forget_attempts(self) -> None:
        """Have no attempts, because the machine is lost."""
        self.attempts, self.free = 0, self.slots
        self.waiting.clear()


def make_hosts(scenario: Scenario) -> list[Host]:
    """Return the machines of a campaign, with the workers that its engine starts on each."""
    machine = scenario.machine
    rate = min(machine.network, scenario.connections * scenario.per_connection)
    hosts = [Host(index, rate) for index in range(scenario.machines)]
    for host in hosts:
        if scenario.engine == WORKERS:
            host.workers = [Worker(host, machine.jobs, scenario.fetch_ahead)]
        else:
            host.workers = [Worker(host, 1, 0) for _ in range(machine.jobs)]
    return hosts
