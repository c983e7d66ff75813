"""Sketches files of reads: FASTA and FASTQ of the user's own.

A thread reads each file: it decompresses it and parses its reads (read_file.py); a few files are read at a time.  Other
threads hash the text, and the thread that called adds up the counts.  Memory depends neither on the size of a file nor
on the length of a sequence: the text of a long one is cut anywhere, and the k-mers across the cut are hashed with the
next piece.

All files are read from the start in each attempt; they are on this machine, and reading them takes as long as reading
what earlier attempts had finished would.
"""

import math
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.lease import DAEMON, PREPARING
from wort_cli.model.profile import Profile
from wort_cli.model.read_files import ReadFile, ReadFiles
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.reads.parser import CompiledParser, ReadsParser, Text
from wort_cli.pipeline.reads.python_parser import PythonParser
from wort_cli.pipeline.reads.read_file import FileReader
from wort_cli.pipeline.resources import reserve_for_sketching
from wort_cli.pipeline.sketching.columns import sketches_of, smallest_scaled
from wort_cli.pipeline.sketching.engine import Engine, KernelEngine, engine_of
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.slices import Hashes
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.stuck_threads import stuck_threads

FILES_AT_ONCE = 4
"""Files that are read at a time, at most."""
WAIT = 0.1
"""Seconds between two looks whether the job was cancelled."""
REPORT_INTERVAL = 0.25
"""Seconds between reports of progress."""
END_WITHIN = 5.0
"""Seconds that the threads have to end once a file has failed or the job was cancelled."""


@dataclass(frozen=True)
class SketchedFiles:
    """The sketches of files of reads, and what was read of each."""

    files: tuple[ReadFile, ...]
    source: ReadFiles
    sketches: tuple[Sketch, ...]
    stats: ReadStats
    others: Mapping[Profile, tuple[Sketch, ...]]
    """The sketches of the other profiles of the pass."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts of an assembly for the provenance, in place of those of files of the user's own."""


def sketch_files(attempt: Attempt) -> SketchedFiles:
    """Reserve memory and disk, sketch all reads of the job's files, check that there are any.

    Raises JobFailed if a file is missing, has a fault or changes while it is read.
    """
    source, spec = attempt.spec.source.reads, attempt.spec
    if source is None:
        raise ValueError("the source has no files of reads")
    if source.is_stdin and (spec.owner == DAEMON or spec.attempt > 1 or spec.subject is not None):
        why = "standard input can be read only once, by the command itself: give the command again"
        raise JobFailed(Reason.INCOMPLETE, why, lasting=True)
    attempt.report("locating")
    parser: type[ReadsParser] = CompiledParser if spec.method.engine == KernelEngine.name else PythonParser
    readers = [FileReader(one, parser(), spec) for one in source.inputs]
    attempt.take_slot()
    bases = sum(reader.estimate_bases() for reader in readers)
    reserve_for_sketching(bases, 1, 0, spec, attempt.profiles, attempt.workspace)
    attempt.report(PREPARING)
    sketcher = FileSketcher(readers, attempt)
    files = sketcher.run()
    stats = sketcher.stats()
    if stats.bases == 0:
        raise JobFailed(Reason.NO_READS, f"{source} has {stats.reads} reads, and none has a base")
    others = {other: sketcher.sketches(other) for other in attempt.profiles[1:]}
    return SketchedFiles(tuple(files), source, sketcher.sketches(attempt.profile), stats, others)


class FileSketcher:
    """Reads files and hashes their text, in several threads."""

    def __init__(self, readers: Sequence[FileReader], attempt: Attempt) -> None:
        self._readers = readers
        self._attempt = attempt
        self._threads = attempt.spec.threads
        self._hasher = Hasher(attempt.spec.method.engine, *attempt.profiles)
        self._counts = [HashCounts() for _ in self._hasher.engine.columns]
        self._stop = threading.Event()
        self._cancellation = Cancellation(self._stop.is_set)
        self._pieces: queue.Queue[Piece | None] = queue.Queue(2 * self._threads)
        """Text that is not hashed yet; None for the end of a file."""

    def run(self) -> list[ReadFile]:
        """Sketch all files; return what was read of each.  Raises JobFailed, Cancelled or OSError."""
        at_once = max(1, min(FILES_AT_ONCE, len(self._readers), self._threads))
        threads: set[threading.Thread] = set()
        read_pool = ThreadPoolExecutor(at_once, "read", threads_of, (threads,))
        hash_pool = ThreadPoolExecutor(self._threads, "hash", threads_of, (threads,))
        stalled = False
        try:
            files = [read_pool.submit(self._read, reader) for reader in self._readers]
            hashed: list[Future[list[Hashes]]] = []
            last_report = last_piece = time.monotonic()
            while True:
                piece = self._next_piece()
                now = time.monotonic()
                last_piece = now if piece is not None or hashed else last_piece
                if piece is not None:
                    hashed.append(hash_pool.submit(self._hasher.hash, piece))
                while hashed and (hashed[0].done() or len(hashed) > 2 * self._threads):
                    self._add(hashed.pop(0).result())
                for file in files:
                    if file.done() and not isinstance(file.exception(), Cancelled):
                        file.result()
                if all(file.done() for file in files) and self._pieces.empty():
                    break
                self._attempt.cancellation.check()
                if now - last_report > REPORT_INTERVAL:
                    self._report()
                    last_report = now
                stalled = now - last_piece > self._attempt.spec.time_limits.stall_timeout
                if stalled:
                    raise JobFailed(Reason.TIMEOUT, f"no read arrived for {now - last_piece:.0f} seconds")
            for future in hashed:
                self._add(future.result())
            return [file.result() for file in files]
        finally:
            self._stop.set()
            read_pool.shutdown(wait=False, cancel_futures=True)
            hash_pool.shutdown(wait=False, cancel_futures=True)
            stuck_threads.wait_or_leave(threads, 0.0 if stalled else END_WITHIN)

    def stats(self) -> ReadStats:
        """Return the counts of all files so far."""
        return sum((reader.stats for reader in self._readers), ReadStats())

    def sketches(self, profile: Profile) -> tuple[Sketch, ...]:
        """Return the sketches of a profile, after `run`."""
        return sketches_of(profile, self._hasher.engine.columns, self._counts)

    def _next_piece(self) -> "Piece | None":
        try:
            return self._pieces.get(timeout=WAIT)
        except queue.Empty:
            return None

    def _add(self, found: Sequence[Hashes]) -> None:
        for counts, hashes in zip(self._counts, found, strict=True):
            counts.add(hashes)

    def _report(self) -> None:
        """Report the progress; the number of reads is estimated from the share of the bytes that were read."""
        stats = self.stats()
        done, size = sum(r.done for r in self._readers), sum(r.size for r in self._readers)
        total = math.ceil(stats.reads * size / done) if done and size else 0
        self._attempt.report("sketching", stats.reads, total, stats.bases)

    # The methods below run in the threads that read.

    def _read(self, reader: FileReader) -> ReadFile:
        """Read a file; put its text into the queue."""
        cutter: Cutter | WholeReads = WholeReads()
        if not self._hasher.engine.needs_whole_reads:
            cutter = Cutter(max(column.ksize for column in self._hasher.engine.columns))

        def emit(text: Text) -> None:
            if text.size and (piece := cutter.piece(text)) is not None:
                self._put(piece)

        try:
            file = reader.read(emit, self._cancellation)
            if isinstance(cutter, WholeReads):
                self._put(cutter.rest())
            return file
        finally:
            self._put(None, final=True)

    def _put(self, piece: "Piece | None", *, final: bool = False) -> None:
        """Put a piece into the queue, as soon as there is room; None wakes the thread that waits for pieces."""
        while True:
            if not final:
                self._cancellation.check()
            try:
                return self._pieces.put(piece, timeout=WAIT)
            except queue.Full:
                if final:  # it is awake
                    return None


@dataclass(frozen=True)
class Piece:
    """A piece of the text of a file, and the last letters before it, fewer than the largest k."""

    before: Text
    text: Text


NOTHING: Text = np.empty(0, np.uint8)


class Cutter:
    """Remembers the last letters of a text that comes in pieces."""

    def __init__(self, longest: int) -> None:
        self._keep = longest - 1
        self._before = NOTHING

    def piece(self, text: Text) -> Piece:
        """Return the next piece of the text."""
        piece = Piece(self._before, text)
        tail = text[max(0, text.size - self._keep) :]
        if tail.size < self._keep:
            tail = np.concatenate((self._before, tail))
            tail = tail[max(0, tail.size - self._keep) :]
        self._before = tail.copy()
        return piece


class WholeReads:
    """Cuts a text that comes in pieces between two reads: before a line feed."""

    def __init__(self) -> None:
        self._parts: list[Text] = []
        """The start of a read whose end has not arrived yet."""

    def piece(self, text: Text) -> Piece | None:
        """Return the reads that `text` completes; None if there are none."""
        starts = np.flatnonzero(text == ord("\n"))
        if not starts.size:
            self._parts.append(text.copy())
            return None
        done = Piece(NOTHING, np.concatenate((*self._parts, text[: starts[-1]])))
        self._parts = [text[starts[-1] :].copy()]
        return done if done.text.size else None

    def rest(self) -> Piece | None:
        """Return the last read; None if there is none."""
        text = np.concatenate((NOTHING, *self._parts))
        return Piece(NOTHING, text) if text.size else None


class Hasher:
    """Hashes pieces of text, for each column of an engine; several threads can use it at once."""

    def __init__(self, name: str, *profiles: Profile) -> None:
        self.engine = engine_of(name, *profiles)
        self._of_one_k: list[tuple[int, Engine]] = []
        """For each column the k, and an engine for it alone, which hashes the k-mers across two pieces."""
        if not self.engine.needs_whole_reads:
            scaled = smallest_scaled(profiles)
            for column in self.engine.columns:
                one = Profile("", (column.ksize,), scaled[column], abundance=True, seed=column.seed, decode_flags=())
                self._of_one_k.append((column.ksize, engine_of(name, one)))

    def hash(self, piece: Piece) -> list[Hashes]:
        """Return, for each k, the hashes of the k-mers that end in this piece."""
        found = self.engine.hash_text(piece.text)
        if piece.text[0] == ord("\n") or not piece.before.size:
            return found
        across = []
        for (k, engine), hashes in zip(self._of_one_k, found, strict=True):
            overlap = k - 1
            before = piece.before[max(0, piece.before.size - overlap) :] if overlap else piece.before[:0]
            [more] = engine.hash_text(np.concatenate((before, piece.text[:overlap])))
            across.append(np.concatenate((hashes, more)) if more.size else hashes)
        return across


def threads_of(threads: set[threading.Thread]) -> None:
    """Add the current thread, which a pool has started, to a set."""
    threads.add(threading.current_thread())
