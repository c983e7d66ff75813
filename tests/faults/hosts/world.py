"""The hosts of a campaign, and what runs on each: a coordinator, two workers, and the servers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.hosts.network import make_hosts
from tests.faults.hosts.plan import LEASE, long_runs, run_names
from tests.faults.hosts.programs import Program
from tests.faults.hosts.runs import Runs, slow_decoder
from tests.faults.hosts.servers import Servers
from tests.support.homes import LIVE

HOUR = 3600
SETTINGS = {
    "WORT_WORKER_LEASE": str(LEASE),
    "WORT_RETRY_DELAY": "1",
    "WORT_ACCEPT_UNPROVED": "true",
    "WORT_PUBLISH_UNPROVED": "true",
    "WORT_S3_TIMEOUT": "3",
    "WORT_JOBS": "2",
    "WORT_THREADS": "1",
    "WORT_SLICE_BASES": "200000",
    "WORT_FETCH_AHEAD": "0",
}


class World:
    """Everything that runs in a campaign."""

    def __init__(self, root: Path, kind: str, jobs: int) -> None:
        self.names = run_names(jobs)
        self.runs = Runs(root, self.names)
        self.hosts = make_hosts(4)
        self.servers = Servers(root, kind, self.hosts[3])
        env = {**SETTINGS, **self.servers.env}
        here = {**env, "WORT_ARCHIVES": str(self.runs.directory)}
        self.coordinator = Program(root / "c", self.hosts[0], env, "daemon", "start", "--foreground")
        self.workers = [Program(root / f"w{i}", self.hosts[1 + i], here, "worker") for i in range(2)]
        for worker in self.workers:
            worker.home.env |= slow_decoder(worker.home, long_runs(self.names))
        self.coordinator.clock.move(HOUR)
        self.workers[1].clock.move(-HOUR)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Start everything; kill what is left at the end."""
        try:
            with self.servers:
                self.start()
                yield
        finally:
            for host in self.hosts:
                host.kill()

    @property
    def programs(self) -> list[Program]:
        """The coordinator and the workers."""
        return [self.coordinator, *self.workers]

    def start(self) -> None:
        """Start the programs that do not run."""
        for program in self.programs:
            program.start()

    def stop(self) -> None:
        """Ask the programs to end, and wait for them."""
        for program in reversed(self.programs):
            program.stop()

    def enqueue(self, runs: Sequence[str]) -> None:
        """Enqueue jobs, on the coordinator's host."""
        arguments = ("compute", "-")
        self.coordinator.home(*arguments, stdin="\n".join(runs), before=self.hosts[0].enter).expect(0)

    def live(self) -> int:
        """Return how many jobs have not ended."""
        return len([job for job in self.coordinator.home.jobs() if job.state in LIVE])

    def held(self) -> list[int]:
        """Return of how many live jobs each worker has a workspace."""
        live = {str(job.id) for job in self.coordinator.home.jobs() if job.state in LIVE}
        return [len([path for path in worker.workspaces() if path.name in live]) for worker in self.workers]
