"""Machines, and the workers on them.

A worker takes runs from one source.  With a daemon, a machine has one, which computes `jobs` runs at a time and fetches
some more ahead; a task of a batch system is a worker that computes one run at a time.
"""

from collections import deque

from benchmarks.campaign.pipes import Pipe
from benchmarks.campaign.runs import Run
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


def make_hosts(number: int, rate: float, workers: int, slots: int, ahead: int) -> list[Host]:
    """Return so many machines, with so many workers each."""
    hosts = [Host(index, rate) for index in range(number)]
    for host in hosts:
        host.workers = [Worker(host, slots, ahead) for _ in range(workers)]
    return hosts
