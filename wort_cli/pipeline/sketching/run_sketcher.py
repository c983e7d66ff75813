"""Decodes and sketches the slices of an archive, in as many threads as the job may use.

Each thread takes a slice, starts a decoder for it, and has an engine hash the decoder's text.  The text arrives in
pieces of about a megabyte, so that memory depends neither on the length of the run nor on the speed of the decoder.
The thread that called `run` adds up the counts of finished slices.

There may be several decoders, the fastest first.  If one raises CannotDecode, the next one decodes the slice.  If one
raises NeedsWholeRun, so does `run`, unless the run is one slice: the caller then starts again with one slice.
"""

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import Profile
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.sketching import loops
from wort_cli.pipeline.sketching.columns import sketches_of
from wort_cli.pipeline.sketching.engine import Engine
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.slice_decoder import (
    CannotDecode,
    NeedsWholeRun,
    SliceCrashed,
    SliceDecoder,
    StartDecoder,
    check_slice_complete,
)
from wort_cli.pipeline.sketching.slices import FinishedSlice, Slice, SliceStore
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.stuck_threads import stuck_threads

CRASH_TRIES = 4
"""The number of tries in a row of a slice whose decoder crashes. fastq-dump crashes occasionally on aligned runs."""
STALL_GRACE = 2.0
"""Seconds that a decoder has to report its own stall."""
END_WITHIN = 5.0
"""Seconds that the threads have to end once a slice has failed or the job was cancelled."""
REPORT_INTERVAL = 0.25
"""Seconds between reports of progress."""
ARRIVAL_INTERVAL = 0.02
"""Seconds between two looks whether the next slice has arrived."""


@dataclass(frozen=True)
class SketchTimeouts:
    """Seconds after which sketching fails."""

    slice: float = math.inf
    """The time limit of one slice."""
    stall: float = math.inf
    """Without a new spot in any slice."""

    @classmethod
    def of(cls, spec: JobSpec) -> "SketchTimeouts":
        """Return the timeouts of a job.  A decoder detects a stall first, and its message is the better one."""
        return cls(spec.time_limits.slice_timeout, spec.time_limits.stall_timeout + STALL_GRACE)


class RunSketcher:
    """Makes the sketches of a run from its slices."""

    def __init__(
        self,
        slices: Sequence[Slice],
        store: SliceStore | None,
        decoders: Sequence[StartDecoder],
        profile: Profile,
        engine: Engine,
        timeouts: SketchTimeouts = SketchTimeouts(),
    ) -> None:
        self._timeouts = timeouts
        self._started: dict[Slice, float] = {}
        """The monotonic time at which each unfinished slice was started."""
        self._last_progress: tuple[ReadStats | None, float] = (None, 0.0)
        """The counts when they last changed, and the monotonic time of that change."""
        self._slices = slices
        self._store = store
        self._decoders = decoders
        self._profile = profile
        self._engine = engine
        self._counts = [HashCounts() for _ in engine.columns]
        self._finished: list[FinishedSlice] = []
        """Finished slices, without their hashes."""
        self._decoding: dict[Slice, SliceDecoder] = {}
        self._threads: set[threading.Thread] = set()
        """Threads of the pool that have started a slice."""
        self._stop = threading.Event()
        self._left_behind = threading.Event()
        """Set when threads are no longer waited for: the workspace may belong to a later attempt, or be removed."""
        self._slice_cancellation = Cancellation(self._stop.is_set)

    def run(
        self,
        threads: int,
        cancellation: Cancellation,
        report: Callable[[ReadStats], None],
        has_arrived: Callable[[Slice], bool] = lambda part: True,
    ) -> None:
        """Sketch all slices that are not in the store.  Raises Cancelled, NeedsWholeRun, or JobFailed if one failed.

        A slice is started once it has arrived, and those before it.  One that takes too long fails the job.  A thread
        that hangs in this process is left behind (stuck_threads.py).
        """
        missing = deque(part for part in self._slices if not self._load_finished(part))
        pool = ThreadPoolExecutor(threads, thread_name_prefix="slice")
        self._last_progress = (None, time.monotonic())
        stalled = False
        try:
            pending: set[Future[FinishedSlice]] = set()
            while missing or pending:
                enough = 2 * threads  # so that no thread waits while counts are added
                while missing and len(pending) < enough and has_arrived(missing[0]):
                    pending.add(pool.submit(self._sketch_or_stop, missing.popleft()))
                if not pending:
                    self._last_progress = (None, time.monotonic())
                    time.sleep(ARRIVAL_INTERVAL)
                awaits_slice = missing and len(pending) < enough
                done, pending = wait(pending, ARRIVAL_INTERVAL if awaits_slice else REPORT_INTERVAL, FIRST_COMPLETED)
                for future in done:
                    # A slice is cancelled when another one failed.  The failure may still be pending.
                    if not isinstance(future.exception(), Cancelled):
                        self._add(future.result())
                report(self.stats())
                if stalled := self._is_stalled():
                    raise JobFailed(Reason.TIMEOUT, f"no spot was read for {self._timeouts.stall:g} seconds")
                self._check_slice_timeouts()
                cancellation.check()
        finally:
            # After a failure, the other threads stop when their decoders next check the cancellation.
            self._stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            stuck_threads.wait_or_leave(self._threads, 0.0 if stalled else END_WITHIN)
            self._left_behind.set()

    def stats(self) -> ReadStats:
        """Return the counts of all slices so far, finished or not."""
        parts: list[FinishedSlice | SliceDecoder] = [*self._finished, *list(self._decoding.values())]
        return sum((part.stats for part in parts), ReadStats())

    def decoders_used(self) -> tuple[str, ...]:
        """Return the names of the decoders of all finished slices."""
        return tuple(sorted({part.decoder for part in self._finished}))

    def sketches(self, profile: Profile | None = None) -> tuple[Sketch, ...]:
        """Return the sketches of the run, after `run`: of its profile, or of another one that was hashed with it."""
        return sketches_of(profile or self._profile, self._engine.columns, self._counts)

    def _load_finished(self, part: Slice) -> bool:
        """Add a slice that an earlier attempt finished, and return whether there is one."""
        finished = self._store.load(part) if self._store else None
        if finished is not None:
            self._add(finished)
        return finished is not None

    def _add(self, finished: FinishedSlice) -> None:
        self._decoding.pop(finished.slice, None)
        for total, (hashes, counts) in zip(self._counts, finished.counts, strict=True):
            total.add_table(hashes, counts)
        self._finished.append(replace(finished, counts=()))

    def _is_stalled(self) -> bool:
        """Return whether no decoder has made progress or failed for too long: then a thread hangs in this process.

        While loops are compiled, slices wait for them: another attempt would only have to compile them again.
        """
        now, stats = time.monotonic(), self.stats()
        if stats != self._last_progress[0] or loops.being_loaded:
            self._last_progress = (stats, now)
        return now - self._last_progress[1] > self._timeouts.stall

    def _check_slice_timeouts(self) -> None:
        """Raise JobFailed if a slice takes too long."""
        now = time.monotonic()
        for part, started in list(self._started.items()):
            if now - started > self._timeouts.slice:
                why = f"spots {part.first} to {part.last} took longer than {self._timeouts.slice:g} seconds"
                raise JobFailed(Reason.TIMEOUT, why)

    # The methods below run in the threads of the pool.

    def _sketch_or_stop(self, part: Slice) -> FinishedSlice:
        """Sketch a slice.  If that fails, stop the other slices."""
        self._slice_cancellation.check()
        self._threads.add(threading.current_thread())
        try:
            return self._sketch_and_save(part)
        except BaseException:
            self._stop.set()
            raise

    def _sketch_and_save(self, part: Slice) -> FinishedSlice:
        self._started[part] = time.monotonic()
        finished = self._sketch(part)
        if self._left_behind.is_set():
            raise Cancelled
        if self._store is not None:
            self._store.save(finished)
        del self._started[part]
        return finished

    def _sketch(self, part: Slice) -> FinishedSlice:
        """Sketch a slice with the first decoder that can decode it."""
        *others, last = self._decoders
        for start in others:
            try:
                return self._sketch_with(part, start(part))
            except CannotDecode as error:
                if isinstance(error, NeedsWholeRun) and len(self._slices) > 1:
                    raise
        for _ in range(CRASH_TRIES - 1):
            with contextlib.suppress(SliceCrashed):
                return self._sketch_with(part, last(part))
        return self._sketch_with(part, last(part))

    def _sketch_with(self, part: Slice, decoder: SliceDecoder) -> FinishedSlice:
        self._decoding[part] = decoder
        counts = [HashCounts() for _ in self._engine.columns]
        for text in decoder.texts(self._slice_cancellation):
            for count, hashes in zip(counts, self._engine.hash_text(text), strict=True):
                count.add(hashes)
        decoder_counts = decoder.finish(self._slice_cancellation)
        check_slice_complete(part.spots, decoder.stats, decoder_counts)
        return FinishedSlice(part, decoder.name, decoder.stats, tuple(count.table() for count in counts))
