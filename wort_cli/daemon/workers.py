"""The worker processes: Huey's consumer, started, healed and stopped from the daemon's own loop.

We don't use the consumer's `run`, for the loop and the signals are ours: one thread does everything in the daemon, so
that a fork never copies a held lock.  Workers are forks; each dies with the daemon, even if that is killed.
"""

import ctypes
import logging
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.worker import work

PR_SET_PDEATHSIG = 1
POLL = 0.05
"""Seconds between a worker's looks at an empty queue, at first; at most `LONGEST_POLL` later."""
LONGEST_POLL = 0.25
STOP_WITHIN = 3.0
"""Seconds that a worker has to end by itself."""

log = logging.getLogger(__name__)


class Workers:
    """Huey's consumer with worker processes; `before_fork` closes what a fork must not share."""

    def __init__(self, queue: WorkQueue, count: int, before_fork: Callable[[], None]) -> None:
        self._queue = queue
        self._before_fork = before_fork

        @queue.huey.task(name="compute")  # type: ignore[untyped-decorator]
        def compute(document: Mapping[str, Any]) -> dict[str, Any] | None:
            return work(queue, document)

        queue.huey.on_startup("warm")(warm_up)
        self._compute = compute
        self._consumer = queue.huey.create_consumer(
            workers=count,
            worker_type="process",
            periodic=False,
            initial_delay=POLL,
            max_delay=LONGEST_POLL,
            check_worker_health=True,
        )

    def start(self) -> None:
        """Start the workers.  Huey sets signal handlers of its own here; set yours afterwards."""
        self._before_fork()
        os.register_at_fork(after_in_child=die_with(os.getpid()))
        self._consumer.start()

    def enqueue(self, document: Mapping[str, Any]) -> str:
        """Hand a job to whichever worker is free; return the task's id."""
        return str(self._compute(document).id)

    def heal(self) -> None:
        """Replace workers that died."""
        processes = [process for _, process in self._consumer.worker_threads] + [self._consumer.scheduler]
        if not all(process.is_alive() for process in processes):
            self._before_fork()
            self._consumer.check_worker_health()

    def grow(self, count: int) -> None:
        """See that there are at least `count` workers; more than are needed just idle."""
        missing = count - len(self._consumer.worker_threads)
        if missing > 0:
            self._before_fork()
        for _ in range(missing):
            worker = self._consumer._create_worker()
            process = self._consumer._create_process(worker, f"Worker-{len(self._consumer.worker_threads) + 1}")
            process.start()
            self._consumer.worker_threads.append((worker, process))

    def alive(self) -> tuple[int, int]:
        """How many workers are alive, and how many there should be."""
        processes = [process for _, process in self._consumer.worker_threads]
        return sum(process.is_alive() for process in processes), len(processes)

    def stop(self) -> None:
        """End all workers: what they do is interrupted, their tools are ended; those that hang are killed."""
        self._consumer.stop(graceful=False)
        for process in [process for _, process in self._consumer.worker_threads] + [self._consumer.scheduler]:
            process.join(STOP_WITHIN)
            if process.is_alive():
                log.warning("%s does not end, killing it", process.name)
                process.kill()
                process.join()


def warm_up() -> None:
    """Import what every job needs, once for each worker."""
    import sourmash  # noqa: F401

    import wort_cli.pipeline.fasta
    import wort_cli.pipeline.hash_text  # noqa: F401


def die_with(parent: int) -> Callable[[], None]:
    """What a forked child does so that the kernel kills it when its parent, of process number `parent`, ends."""
    libc = ctypes.CDLL(None, use_errno=True)

    def in_child() -> None:
        if os.getppid() == parent:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # it ended before we asked
                os._exit(1)

    return in_child
