"""The code that runs in a worker process: a job, and a thread that sends heartbeats and checks for cancellation."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wort_cli.daemon.queue import WorkQueue
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import COMPILING
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.run import run_job
from wort_cli.pipeline.sketching import loops
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.process_identity import own_identity

STARTING = "starting"
"""The stage of a job before its first report."""
HEARTBEAT_EVERY = 0.5
"""Seconds between heartbeats."""
CONFIRM_EVERY = 0.02
"""Seconds between looks for a confirmation."""

log = logging.getLogger(__name__)


def work(queue: WorkQueue, document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Run the job of a JobSpec in JSON; return its JobResult in JSON, which is empty if the job was cancelled.

    Returns None if another worker already has this attempt.
    """
    spec = JobSpec.from_json(document)
    if not queue.acquire(spec.job_id, spec.attempt):
        return None
    with QueueWatcher(queue, spec) as watcher:
        try:
            result = run_job(spec, watcher)
        except Cancelled:
            result = JobResult(spec.job_id, spec.attempt)
        watcher.wait_until_queue_is_writable()
        return result.to_json()


class QueueWatcher:
    """A Watcher that reports through the queue, from a thread of its own, so that no stage waits for the queue."""

    def __init__(self, queue: WorkQueue, spec: JobSpec) -> None:
        self._queue = queue
        self._spec = spec
        self._process = own_identity()
        self._progress = Progress(STARTING, 0, 0, 0, time.time())
        self._active_at = time.monotonic()
        self._cancelled = threading.Event()
        self.cancellation = Cancellation(self._is_cancelled, self._confirm)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send_heartbeats, name="watcher", daemon=True)

    def __enter__(self) -> "QueueWatcher":
        self._try_heartbeat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(HEARTBEAT_EVERY)

    def report(self, progress: Progress) -> None:
        """See Watcher."""
        self._progress = progress
        self._active_at = time.monotonic()

    def wait_until_queue_is_writable(self) -> None:
        """Return once a heartbeat could be written.  On a full disk, Huey would lose the result."""
        while not self._try_heartbeat():
            self._ended.wait(HEARTBEAT_EVERY)

    def _is_cancelled(self) -> bool:
        """Whether the job was cancelled.  The job's thread calls this, which shows that it does not hang."""
        self._active_at = time.monotonic()
        return self._cancelled.is_set()

    def _confirm(self) -> None:
        """Return once the coordinator on another host has confirmed the attempt; raise Cancelled if it is cancelled."""
        if not self._spec.confirm:
            return
        attempt = self._spec.job_id, self._spec.attempt
        self._queue.ask(*attempt)
        while not self._queue.take_confirmation(*attempt):
            self.cancellation.check()
            self._ended.wait(CONFIRM_EVERY)

    def _send_heartbeats(self) -> None:
        while not self._ended.wait(HEARTBEAT_EVERY):
            self._try_heartbeat()

    def _try_heartbeat(self) -> bool:
        """Send a heartbeat and check for cancellation; return False if the queue could not be used."""
        try:
            progress = self._progress
            if loops.being_loaded:  # the process that compiles them has a time limit of its own
                self._active_at = time.monotonic()
                progress = progress if progress.stage == COMPILING else replace(progress, stage=STARTING)
            self._queue.send_heartbeat(self._spec, self._process, progress, time.monotonic() - self._active_at)
            if self._queue.is_cancelled(self._spec.job_id, self._spec.attempt):
                self._cancelled.set()
        except Exception:  # the disk may be full for a while, and this thread must survive that
            log.warning("no heartbeat could be sent", exc_info=True)
            return False
        return True
