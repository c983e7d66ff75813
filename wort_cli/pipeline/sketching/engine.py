"""Engines: an engine parses FASTA, and hashes text for a FracMinHash.  All engines return the same hashes.

`hash_text` has no state, so that several threads can call it at once.  To run in parallel, it must release the GIL.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import DNA, Profile, max_hash_for_scaled
from wort_cli.pipeline.sketching.columns import Column, columns_of, smallest_scaled
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.slice_decoder import Text
from wort_cli.pipeline.sketching.slices import Hashes


class FastaReader(Protocol):
    """Converts a stream of FASTA, fed in pieces of any size, to text for hashing, with a letter before each read."""

    @property
    def separator(self) -> bytes:
        """The letter before each read in the text."""

    @property
    def stats(self) -> ReadStats:
        """Counts of the reads so far.  The bases of a read are counted when its end has arrived."""

    def feed(self, data: bytes) -> bytes:
        """Return the text that `data` completes.  Raises JobFailed if fastq-dump never writes such data."""

    def finish(self) -> bytes:
        """Return the rest of the text, at the end of the stream."""


class Engine(Protocol):
    """Reads and hashes according to a profile, or to several."""

    name: str
    columns: tuple[Column, ...]
    """The columns whose hashes it counts."""
    needs_whole_reads: bool
    """Whether the text must have whole reads, with a line feed before each."""

    def fasta_reader(self) -> FastaReader:
        """Return a reader for the output of one decoder."""

    def hash_text(self, text: Text) -> list[Hashes]:
        """Return, for each column, the hashes of `text` that are kept, in any order, with repeats.

        `text` is DNA.  K-mers with any letter but A, C, G and T are skipped.
        """


class KernelEngine:
    """wort's own loops, compiled by numba (kernel.py, compiled_fasta.py)."""

    name = "kernel"
    needs_whole_reads = False

    def __init__(self, profile: Profile) -> None:
        if find_spec("numba") is None:
            raise JobFailed(
                Reason.TOOL_MISSING, "the engine `kernel` needs numba; `--engine sourmash` works without it"
            )
        self.columns = columns_of(profile)
        self._max_hash = profile.max_hash
        self._ksizes = np.array(profile.ksizes, np.int64)
        self._seed = profile.seed

    def fasta_reader(self) -> FastaReader:
        """See Engine."""
        from wort_cli.pipeline.sketching.compiled_fasta import CompiledFastaReader

        return CompiledFastaReader()

    def hash_text(self, text: Text) -> list[Hashes]:
        """See Engine."""
        from wort_cli.pipeline.sketching.hash_text import hash_text

        return hash_text(text, self._ksizes, self._seed, self._max_hash)


class SourmashEngine:
    """sourmash's own MinHash: for machines without numba, and to check the kernel independently.

    It is only efficient with large texts: a call of sourmash for each read takes longer than the hashing itself.
    """

    name = "sourmash"
    needs_whole_reads = False

    def __init__(self, profile: Profile) -> None:
        from sourmash import MinHash

        self._empty = [
            MinHash(n=0, ksize=k, scaled=profile.scaled, seed=profile.seed, track_abundance=True)
            for k in profile.ksizes
        ]
        self.columns = columns_of(profile)

    def fasta_reader(self) -> FastaReader:
        """See Engine."""
        from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader

        return PythonFastaReader()

    def hash_text(self, text: Text) -> list[Hashes]:
        """See Engine."""
        results = []
        for empty in self._empty:
            minhash = empty.copy_and_clear()
            minhash.add_sequence(bytes(text), force=True)
            kept = minhash.hashes
            hashes = np.fromiter(kept.keys(), np.uint64, len(kept))
            results.append(np.repeat(hashes, np.fromiter(kept.values(), np.int64, len(kept))))
        return results


ENGINES: dict[str, Callable[[Profile], Engine]] = {"kernel": KernelEngine, "sourmash": SourmashEngine}


class SharedEngine:
    """Hashes for several profiles at once: once for each column, with the smallest scaled that one of them has."""

    def __init__(self, name: str, profiles: Sequence[Profile]) -> None:
        parts: dict[tuple[str, int], dict[Column, int]] = {}
        for column, scaled in smallest_scaled(profiles).items():
            parts.setdefault((column.moltype, column.seed), {})[column] = scaled
        self._parts: list[tuple[Engine, list[np.uint64]]] = []
        for (moltype, seed), columns in parts.items():
            ksizes = tuple(column.ksize if moltype == DNA else column.ksize // 3 for column in columns)
            one = replace(profiles[0], ksizes=ksizes, scaled=min(columns.values()), seed=seed, moltype=moltype)
            limits = [np.uint64(max_hash_for_scaled(scaled)) for scaled in columns.values()]
            self._parts.append((engine_of(name, one), limits))
        engines = [engine for engine, _ in self._parts]
        self.columns = tuple(column for engine in engines for column in engine.columns)
        self.needs_whole_reads = any(engine.needs_whole_reads for engine in engines)
        self._reading = next((engine for engine in engines if engine.needs_whole_reads), engines[0])
        self.name = self._reading.name

    def fasta_reader(self) -> FastaReader:
        """See Engine."""
        return self._reading.fasta_reader()

    def hash_text(self, text: Text) -> list[Hashes]:
        """See Engine."""
        results: list[Hashes] = []
        for engine, limits in self._parts:
            largest = max(limits)
            for hashes, limit in zip(engine.hash_text(text), limits, strict=True):
                results.append(hashes if limit == largest else hashes[hashes <= limit])
        return results


def engine_of(name: str, profile: Profile, *others: Profile) -> Engine:
    """Return the engine for a profile, or for several: the one of that name for DNA, sourmash's own for the rest."""
    if others:
        return SharedEngine(name, (profile, *others))
    if profile.moltype == DNA:
        return ENGINES[name](profile)
    from wort_cli.pipeline.sketching.molecules import MoleculeEngine

    return MoleculeEngine(profile)
