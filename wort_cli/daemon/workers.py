"""The worker processes: Huey's consumer, started, healed and stopped from the daemon's own loop.

We don't use the consumer's `run`, for the loop and the signals are ours: one thread does everything in the daemon, so
that a fork never copies a held lock.  Workers are forks; each dies with the daemon, even if that is killed.
"""

import ctypes
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.worker import work
from wort_cli.system.process_identity import is_stopped

PR_SET_PDEATHSIG = 1
POLL = 0.05
"""Seconds between a worker's looks at an empty queue, at first; at most `LONGEST_POLL` later."""
LONGEST_POLL = 0.25
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that Huey's consumer takes for itself when it starts."""
STOP_WITHIN = 3.0
"""Seconds that a worker has to end by itself."""

log = logging.getLogger(__name__)


class Workers:
    """Huey's consumer with worker processes; `before_fork` closes what a fork must not share."""

    def __init__(self, queue: WorkQueue, count: int, before_fork: Callable[[], None]) -> None:
        self._queue = queue
        self._before_fork = before_fork
        self._stopped: dict[int | None, float] = {}
        """Since when workers are seen to be stopped."""

        @queue.huey.task(name="compute")  # type: ignore[untyped-decorator]
        def compute(document: Mapping[str, Any]) -> dict[str, Any] | None:
            return work(queue, document)

        queue.huey.on_startup("warm")(warm_up)
        self._compute = compute
        self._consumer = self._consumer_of(count)

    def start(self) -> None:
        """Start the workers.  Huey sets signal handlers of its own here; set yours afterwards."""
        self._before_fork()
        os.register_at_fork(after_in_child=die_with(os.getpid()))
        self._consumer.start()

    def start_again(self) -> None:
        """Start as many workers as there were, after `stop`."""
        self._consumer = self._consumer_of(len(self._consumer.worker_threads))
        handlers = {number: signal.getsignal(number) for number in ENDING}
        self._before_fork()
        self._consumer.start()
        for number, handler in handlers.items():  # in place of Huey's
            signal.signal(number, handler)

    def _consumer_of(self, count: int) -> Any:
        return self._queue.huey.create_consumer(
            workers=count,
            worker_type="process",
            periodic=False,
            initial_delay=POLL,
            max_delay=LONGEST_POLL,
            check_worker_health=True,
        )

    def enqueue(self, document: Mapping[str, Any]) -> str:
        """Hand a job to whichever worker is free; return the task's id."""
        return str(self._compute(document).id)

    def heal(self, patience: float) -> None:
        """Replace workers that died; those that have been stopped (SIGSTOP) for `patience` seconds are killed first."""
        processes = [process for _, process in self._consumer.worker_threads] + [self._consumer.scheduler]
        self._kill_stopped([process for process in processes if process.pid], patience)
        if not all(process.is_alive() for process in processes):
            self._before_fork()
            self._consumer.check_worker_health()

    def _kill_stopped(self, processes: Sequence[BaseProcess], patience: float) -> None:
        now = time.monotonic()
        stopped = {process.pid: process for process in processes if is_stopped(process.pid or 0)}
        self._stopped = {pid: self._stopped.get(pid, now) for pid in stopped}
        for pid, process in stopped.items():
            if now - self._stopped[pid] > patience:
                log.warning("%s (process %s) is stopped, killing it", process.name, pid)
                process.kill()
                process.join(STOP_WITHIN)

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
        deadline = time.monotonic() + STOP_WITHIN  # of all of them together: the daemon does nothing else meanwhile
        for process in [process for _, process in self._consumer.worker_threads] + [self._consumer.scheduler]:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                log.warning("%s does not end, killing it", process.name)
                process.kill()
                process.join()


def warm_up() -> None:
    """Import what every job needs, once for each worker."""
    import wort_cli.pipeline.sketching.compiled_fasta
    import wort_cli.pipeline.sketching.hash_text  # noqa: F401


def die_with(parent: int) -> Callable[[], None]:
    """What a forked child does so that the kernel kills it when its parent, of process number `parent`, ends."""
    libc = ctypes.CDLL(None, use_errno=True)

    def in_child() -> None:
        if os.getppid() == parent:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # it ended before we asked
                os._exit(1)

    return in_child
