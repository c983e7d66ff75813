"""What runs inside a worker process: a job, and a thread that tells of its life and hears if it is called off."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from wort_cli.daemon.queue import WorkQueue
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.run import run_job
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.process_identity import own_identity

BEAT = 0.5
"""Seconds between signs of life."""

log = logging.getLogger(__name__)


def work(queue: WorkQueue, document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Do the job of a JobSpec in JSON; a JobResult in JSON, empty if the job was called off.

    None, which is no result, if another worker has this attempt already.
    """
    spec = JobSpec.from_json(document)
    if not queue.take(spec.job_id, spec.attempt):
        return None
    with QueueWatcher(queue, spec) as watcher:
        try:
            result = run_job(spec, watcher)
        except Cancelled:
            result = JobResult(spec.job_id, spec.attempt)
        watcher.until_heard()
        return result.to_json()


class QueueWatcher:
    """A Watcher that speaks through the queue, from a thread of its own, so that no stage has to."""

    def __init__(self, queue: WorkQueue, spec: JobSpec) -> None:
        self._queue = queue
        self._spec = spec
        self._process = own_identity()
        self._progress = Progress("starting", 0, 0, 0, time.time())
        self._asked_at = time.monotonic()
        self._cancelled = threading.Event()
        self.cancellation = Cancellation(self._is_cancelled)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="watcher", daemon=True)

    def __enter__(self) -> "QueueWatcher":
        self._tell()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(BEAT)

    def report(self, progress: Progress) -> None:
        """See Watcher."""
        self._progress = progress
        self._asked_at = time.monotonic()

    def _is_cancelled(self) -> bool:
        """See Watcher."""
        self._asked_at = time.monotonic()
        return self._cancelled.is_set()

    def until_heard(self) -> None:
        """Return once the queue can be written: a result that does not fit on a full disk would be lost."""
        while not self._tell():
            self._ended.wait(BEAT)

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            self._tell()

    def _tell(self) -> bool:
        """Give a sign of life; whether it could be written."""
        try:
            self._speak()
        except Exception:  # a full disk, say, which passes; this thread must outlive it
            log.warning("no sign of life could be given", exc_info=True)
            return False
        return True

    def _speak(self) -> None:
        self._queue.report_life(self._spec, self._process, self._progress, time.monotonic() - self._asked_at)
        if self._queue.is_cancelled(self._spec.job_id, self._spec.attempt):
            self._cancelled.set()
