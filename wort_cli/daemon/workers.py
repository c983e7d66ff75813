"""The worker processes: Huey's consumer, started, repaired and stopped from the daemon's own loop.

The consumer's `run` is not used, because the daemon has its own loop and signal handlers.  The daemon has one thread,
so that a fork never copies a held lock.  Workers are forks; the kernel kills each one when the daemon ends, even if the
daemon is killed.
"""

import contextlib
import logging
import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

from wort_cli.daemon.huey_internals import (
    add_worker,
    all_processes,
    leave_behind,
    replace_dead_processes,
    replace_stuck_worker,
    worker_processes,
)
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.worker import work
from wort_cli.system.parent import die_with
from wort_cli.system.process_identity import is_stopped
from wort_cli.system.stuck_threads import stuck_threads

POLL = 0.01
"""Seconds between a worker's checks of an empty queue, at first; they increase to `LONGEST_POLL`.

The daemon needs some milliseconds to record a result and to dispatch the next job.
"""
LONGEST_POLL = 0.25
HUEY_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals for which Huey's consumer installs handlers when it starts."""
STOP_WITHIN = 3.0
"""Seconds that workers have to stop before they are killed."""
END_WITHIN = 1.0
"""Seconds that a killed worker has to end."""

log = logging.getLogger(__name__)


class Workers:
    """Huey's consumer with worker processes; `before_fork` closes whatever must not be shared with a fork."""

    def __init__(self, queue: WorkQueue, count: int, before_fork: Callable[[], None]) -> None:
        self._queue = queue
        self._before_fork = before_fork
        self._stopped_since: dict[int | None, float] = {}
        """When each stopped worker was first seen stopped."""
        self._killed_at: dict[int, float] = {}
        """When each worker was killed that may not have ended yet."""
        self._stuck: list[BaseProcess] = []
        """Workers that were killed and do not end, because they wait for a file system that does not answer."""

        @queue.huey.task(name="compute")  # type: ignore[untyped-decorator]
        def compute(document: Mapping[str, Any]) -> dict[str, Any] | None:
            return work(queue, document)

        queue.huey.on_startup("import_kernels")(import_kernels)
        self._results = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        """Written by a worker once the result of a job is in the queue."""
        queue.call_after_result(self._announce_result)
        self._compute = compute
        self._consumer = self._make_consumer(count)

    def start(self) -> None:
        """Start the workers.  Huey installs its own signal handlers here: set yours afterwards."""
        self._before_fork()
        let_children_die_with(os.getpid())
        self._consumer.start()

    def start_again(self) -> None:
        """Start as many workers as there were before `stop`."""
        self._consumer = self._make_consumer(len(worker_processes(self._consumer)))
        handlers = {number: signal.getsignal(number) for number in HUEY_SIGNALS}
        self._before_fork()
        self._consumer.start()
        for number, handler in handlers.items():  # Huey has replaced them
            signal.signal(number, handler)

    def enqueue(self, document: Mapping[str, Any]) -> str:
        """Put a job into the queue for the next free worker; return the task's id."""
        return str(self._compute(document).id)

    def wait_for_result(self, seconds: float) -> bool:
        """Return whether a worker has put a result into the queue since the last call; wait for one at most so long."""
        if not select.select([self._results], [], [], seconds)[0]:
            return False
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._results)
        return True

    def _announce_result(self) -> None:
        """Wake the daemon, and end if a thread of the job hangs; called in the worker."""
        with contextlib.suppress(OSError):  # it will look anyway
            os.eventfd_write(self._results, 1)
        stuck_threads.end_if_stuck(0)  # nothing else ends the thread; `repair` starts another worker

    def repair(self, patience: float) -> None:
        """Kill workers that have been stopped (SIGSTOP) for `patience` seconds, and replace those that are dead.

        A worker that was killed and does not end is replaced, too.
        """
        processes = all_processes(self._consumer)
        self._kill_stopped([process for process in processes if process.pid], patience)
        self._replace_stuck()
        if not all(process.is_alive() for process in processes):
            self._before_fork()
            replace_dead_processes(self._consumer)

    def note_kill(self, pid: int) -> None:
        """Remember that a worker was killed."""
        self._killed_at[pid] = time.monotonic()

    def _replace_stuck(self) -> None:
        self._stuck = [process for process in self._stuck if process.is_alive()]
        alive = {process.pid: process for process in worker_processes(self._consumer) if process.is_alive()}
        self._killed_at = {pid: when for pid, when in self._killed_at.items() if pid in alive}
        for pid, when in self._killed_at.items():
            if time.monotonic() - when > STOP_WITHIN:
                log.error("worker %d was killed and does not end: it waits for a disk; starting another", pid)
                self._stuck.append(alive[pid])
                self._before_fork()
                replace_stuck_worker(self._consumer, alive[pid])

    def grow(self, count: int) -> None:
        """Start workers until there are `count`.  More than that stay: an idle worker costs little."""
        missing = count - len(worker_processes(self._consumer))
        if missing > 0:
            self._before_fork()
        for _ in range(missing):
            add_worker(self._consumer)

    def count_alive(self) -> tuple[int, int]:
        """Return how many workers are alive, and how many there should be."""
        processes = worker_processes(self._consumer)
        return sum(process.is_alive() for process in processes), len(processes)

    def stop(self) -> None:
        """Stop all workers: interrupt their jobs and tools, and kill workers that do not stop in time."""
        self._consumer.stop(graceful=False)
        deadline = time.monotonic() + STOP_WITHIN  # for all workers together, because the daemon waits here
        for process in all_processes(self._consumer):
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                log.warning("%s does not stop, killing it", process.name)
                process.kill()
                process.join(END_WITHIN)
                if process.is_alive():
                    log.error("%s does not end: it waits for a disk; leaving it", process.name)
                    leave_behind(process)

    def _make_consumer(self, count: int) -> Any:
        return self._queue.huey.create_consumer(
            workers=count,
            worker_type="process",
            periodic=False,
            initial_delay=POLL,
            max_delay=LONGEST_POLL,
            check_worker_health=True,
        )

    def _kill_stopped(self, processes: Sequence[BaseProcess], patience: float) -> None:
        now = time.monotonic()
        stopped = {process.pid: process for process in processes if is_stopped(process.pid or 0)}
        self._stopped_since = {pid: self._stopped_since.get(pid, now) for pid in stopped}
        for pid, process in stopped.items():
            if now - self._stopped_since[pid] > patience:
                log.warning("%s (process %s) is stopped, killing it", process.name, pid)
                process.kill()
                process.join(STOP_WITHIN)
                self.note_kill(pid or 0)


def import_kernels() -> None:
    """Import the modules that every job needs, once per worker."""
    import wort_cli.pipeline.seal
    import wort_cli.pipeline.sketching.compiled_fasta
    import wort_cli.pipeline.sketching.hash_text
    import wort_cli.pipeline.sketching.run_sketcher  # noqa: F401


def let_children_die_with(parent: int) -> None:
    """Make the kernel kill each process that `parent` forks from now on when `parent` ends."""
    forks = parent

    def before() -> None:
        nonlocal forks
        forks = os.getpid()  # a child cannot ask for its parent: that may have ended already

    def in_child() -> None:
        if forks == parent:
            die_with(parent)

    os.register_at_fork(before=before, after_in_child=in_child)
