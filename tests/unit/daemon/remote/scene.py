"""The coordinator's side of workers on other hosts: a real ledger, a queue in memory, a clock that tests advance."""

import base64
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.builders import request
from tests.support.memory_queue import MemoryQueue
from tests.support.signatures import make_signatures
from tests.unit.daemon.conftest import Clock
from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.remote.attempt_keys import answer_key
from wort_cli.daemon.remote.site import RemoteSite
from wort_cli.daemon.remote.wire import Answer, Beat, Board, Order
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job import Job, Progress
from wort_cli.model.job_result import JobResult, Published
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.system.process_identity import own_identity

HOME = "h" * 16
NAME, OTHER = "SRR1000000", "SRR1000001"


class Host:
    """A worker on another host, played by the test."""

    def __init__(self, remote: MemoryQueue, name: str = "node1", room: int = 2, **changes: Any) -> None:
        self.remote = remote
        self.beat = Beat(f"{name}-1", name, name, own_identity(), 0, HOME, room, room)
        self.beat = replace(self.beat, **changes)

    def send(self, **changes: Any) -> None:
        """Send a beat."""
        self.beat = replace(self.beat, number=self.beat.number + 1, **changes)
        self.remote.beat(self.beat.worker, self.beat.pack())

    def take(self) -> Order:
        """Take an order, and say so in a beat."""
        data = self.remote.take()
        assert data is not None, "there is an order"
        order = Order.unpack(data)
        progress = Progress("sketching", 1, 10, 100, 0.0)
        self.send(running={**self.beat.running, order.spec.job_id: (order.spec.attempt, progress)})
        return order

    def answer(self, order: Order, **outcome: Any) -> None:
        """Answer an order."""
        returned, content = outcome.pop("returned", ""), outcome.pop("content", "")
        result = JobResult(order.spec.job_id, order.spec.attempt, **outcome)
        answer = Answer(self.beat.host, result, returned, content, "a line of the log\n")
        self.remote.put(answer_key(HOME, order.spec.job_id, order.spec.attempt), answer.pack())


class Scene:
    """A coordinator, and `host`, a worker that has sent a beat."""

    def __init__(self, ledger: Ledger, settings: Settings, clock: Clock) -> None:
        self.ledger, self.settings, self.clock = ledger, settings, clock
        self.remote = MemoryQueue()
        self.site = self.site_of(HOME)
        self.site.claim_queue()
        self.coordinator = self.coordinator_of(self.site)
        self.host = Host(self.remote)
        self.host.send()

    def site_of(self, home: str) -> RemoteSite:
        """Return the site of a coordinator of a home."""
        return RemoteSite(
            self.remote,
            self.settings,
            home,
            ended=lambda jobs: [job for job in jobs if not self.job(job).state.is_live],
            drained=lambda: self.ledger.controls.drained,
            clock=self.clock,
        )

    def coordinator_of(self, site: RemoteSite) -> Coordinator:
        """Return a coordinator of a site."""
        return Coordinator(self.ledger, site, self.settings, clock=self.clock, jitter=lambda: 0.5)

    def turn(self, seconds: float = 1.1) -> None:
        """Advance the clock; let the coordinator have a turn."""
        self.clock.advance(seconds)
        self.coordinator.turn()

    def enqueue(self, *names: str) -> list[int]:
        """Enqueue runs; return the numbers of their jobs."""
        return [answer.job_id or 0 for answer in self.ledger.jobs.enqueue([request(name) for name in names])]

    def order(self, *names: str) -> list[int]:
        """Enqueue runs, and have the orders sent; return the numbers of the jobs."""
        jobs = self.enqueue(*names)
        self.turn()
        return jobs

    def job(self, number: int) -> Job:
        """Return a job."""
        return self.ledger.jobs.get(number)

    @property
    def board(self) -> Board:
        """The board that workers read."""
        data = self.remote.board()
        assert data is not None
        return Board.unpack(data)

    @property
    def store(self) -> LocalStore:
        """The signatures of the coordinator."""
        return LocalStore(self.settings.store_dir)


class Sealed:
    """A signature that a worker has made: its bytes, and what the worker says of it."""

    def __init__(self, root: Path) -> None:
        make_signatures(root, 1)
        store = LocalStore(root)
        self.content = store.path(Accession(NAME)).read_bytes()
        sha256 = hashlib.sha256(self.content).hexdigest()
        self.published = Published("", len(self.content), store.provenance(Accession(NAME)), sha256=sha256)

    @property
    def outcome(self) -> dict[str, Any]:
        """The outcome of an attempt, with the signature in it."""
        return {"published": self.published, "content": base64.b64encode(self.content).decode()}
