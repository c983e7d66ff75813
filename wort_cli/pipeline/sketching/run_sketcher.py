"""Decodes and sketches an archive, slice by slice, as many at a time as the job has threads.

Each slice has a decoder of its own and a thread that takes its text and has an engine hash it; text is handed on in
pieces of a megabyte, so that memory depends on neither the length of the run nor the speed of the decoders.  Counts of
finished slices are added up in one place.

There may be several ways to decode a slice, the quickest first.  One that declines it leaves it to the next.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import Profile
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.sketching.engine import Engine
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.slice_reads import Declined, SliceReads, check_slice
from wort_cli.pipeline.sketching.slices import Slice, SlicedCounts, SliceStore
from wort_cli.system.cancellation import Cancellation, Cancelled

DECODERS_FIRST = 5.0
"""Seconds that a decoder has to say itself that it stalls."""
REPORT_EVERY = 0.25
"""Seconds between reports of progress."""


@dataclass(frozen=True)
class Limits:
    """Seconds that there may be for a slice, and without a new spot of any of them."""

    slice: float = math.inf
    standing: float = math.inf

    @classmethod
    def of(cls, spec: JobSpec) -> "Limits":
        """The limits of a job; a decoder that stalls says so itself, and better, before we do."""
        return cls(spec.time_limits.slice_timeout, spec.time_limits.stall_timeout + DECODERS_FIRST)


@dataclass(frozen=True)
class Totals:
    """What all slices have been so far."""

    spots: int
    reads: int
    bases: int
    longest: int


class RunSketcher:
    """Makes the sketches of a run of its slices."""

    def __init__(
        self,
        slices: Sequence[Slice],
        store: SliceStore | None,
        decoders: Sequence[Callable[[Slice], SliceReads]],
        profile: Profile,
        engine: Engine,
        limits: Limits = Limits(),
    ) -> None:
        self._limits = limits
        self._begun: dict[Slice, float] = {}
        """When each slice that is being read began, on the monotonic clock."""
        self._moved: tuple[Totals | None, float] = (None, 0.0)
        """What the totals were when they last changed, and when that was."""
        self._slices = slices
        self._store = store
        self._decoders = decoders
        self._profile = profile
        self._engine = engine
        self._counts = [HashCounts() for _ in profile.ksizes]
        self._finished: list[SlicedCounts] = []
        self._reading: dict[Slice, SliceReads] = {}
        self._ended = threading.Event()
        self._slice_cancellation = Cancellation(self._ended.is_set)

    def run(self, threads: int, cancellation: Cancellation, report: Callable[[Totals], None]) -> None:
        """Do all slices that the store does not have; Cancelled if the job is, JobFailed if a slice failed.

        A slice that takes too long fails the job; one that hangs in this process is not waited for.
        """
        missing = [part for part in self._slices if not self._take_finished(part)]
        pool = ThreadPoolExecutor(threads, thread_name_prefix="slice")
        self._moved = (None, time.monotonic())
        hangs = False
        try:
            pending = {pool.submit(self._sketch, part) for part in missing}
            while pending:
                done, pending = wait(pending, REPORT_EVERY, FIRST_COMPLETED)
                for future in done:
                    # A slice that ended because another one failed may be here first; the failure is among the pending.
                    if not isinstance(future.exception(), Cancelled):
                        self._add(future.result())
                report(self.totals())
                if hangs := self._stands():
                    raise JobFailed(Reason.TIMEOUT, f"no spot was read for {self._limits.standing:g} seconds")
                self._check_slices()
                cancellation.check()
        finally:
            # Where one slice failed, the threads of the others end at their decoders' next word.
            self._ended.set()
            pool.shutdown(wait=not hangs, cancel_futures=True)

    def totals(self) -> Totals:
        """How far all slices are, finished or not."""
        parts: list[SlicedCounts | SliceReads] = [*self._finished, *list(self._reading.values())]
        return Totals(
            sum(part.spots for part in parts),
            sum(part.reads for part in parts),
            sum(part.bases for part in parts),
            max((part.longest for part in parts), default=0),
        )

    def decoders_used(self) -> tuple[str, ...]:
        """The decoders that finished slices came from."""
        return tuple(sorted({part.decoder for part in self._finished}))

    def sketches(self) -> tuple[Sketch, ...]:
        """The sketches of all slices, once they are finished."""
        made = []
        for ksize, counts in zip(self._profile.ksizes, self._counts, strict=True):
            made.append(Sketch(ksize, self._profile.seed, self._engine.max_hash, *counts.sorted()))
        return tuple(made)

    def _take_finished(self, part: Slice) -> bool:
        """Add a slice that an earlier attempt finished."""
        done = self._store.load(part) if self._store else None
        if done is not None:
            self._add(done)
        return done is not None

    def _add(self, done: SlicedCounts) -> None:
        self._reading.pop(done.slice, None)
        for total, (hashes, counts) in zip(self._counts, done.counts, strict=True):
            total.add(hashes, counts)
        self._finished.append(replace(done, counts=()))

    def _sketch(self, part: Slice) -> SlicedCounts:
        """Decode and sketch a slice, and keep it; where one fails, no other begins."""
        self._slice_cancellation.check()
        try:
            return self._sketched(part)
        except BaseException:
            self._ended.set()
            raise

    def _stands(self) -> bool:
        """Whether nothing was read for too long, though decoders should have said so: a thread hangs in here."""
        now, totals = time.monotonic(), self.totals()
        if totals != self._moved[0]:
            self._moved = (totals, now)
        return now - self._moved[1] > self._limits.standing

    def _check_slices(self) -> None:
        """JobFailed if a slice takes too long."""
        now = time.monotonic()
        for part, begun in list(self._begun.items()):
            if now - begun > self._limits.slice:
                why = f"spots {part.first} to {part.last} took longer than {self._limits.slice:g} seconds"
                raise JobFailed(Reason.TIMEOUT, why)

    def _sketched(self, part: Slice) -> SlicedCounts:
        self._begun[part] = time.monotonic()
        done = self._decoded(part)
        if self._store is not None:
            self._store.save(done)
        del self._begun[part]
        return done

    def _decoded(self, part: Slice) -> SlicedCounts:
        """What the first decoder makes of a slice that does not decline it."""
        *quicker, surest = self._decoders
        for decoder in quicker:
            try:
                return self._counted(part, decoder(part))
            except Declined:
                continue
        return self._counted(part, surest(part))

    def _counted(self, part: Slice, reads: SliceReads) -> SlicedCounts:
        self._reading[part] = reads
        counts = [HashCounts() for _ in self._profile.ksizes]
        for text in reads.texts(self._slice_cancellation):
            for count, hashes in zip(counts, self._engine.hash_text(text), strict=True):
                count.add(hashes)
        check_slice(part.spots, reads, reads.finish(self._slice_cancellation))
        tables = tuple(count.sorted() for count in counts)
        return SlicedCounts(part, reads.decoder, reads.spots, reads.reads, reads.bases, reads.longest, tables)
