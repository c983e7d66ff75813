"""The code that reads and hashes: FASTA in, the hashes that a FracMinHash keeps out.

An engine's `hash_text` is one function of a text, without state between calls, safe to call from several threads at
once, and quick only if it lets go of the GIL.  All engines give the same hashes.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import Profile
from wort_cli.pipeline.sketching.hash_counts import Hashes
from wort_cli.pipeline.sketching.slice_reads import Seen, Text


class Reader(Seen, Protocol):
    """Turns a stream of FASTA into text, an N before each read, and counts what it sees; see reads.py."""

    def feed(self, data: bytes) -> bytes:
        """The text that `data` completes."""

    def finish(self) -> bytes:
        """The text of what is left."""


class Engine(Protocol):
    """Reads and hashes by a profile."""

    name: str
    max_hash: int
    """Hashes above it are not kept."""

    def new_reader(self) -> Reader:
        """A reader of a decoder's output."""

    def hash_text(self, text: Text) -> list[Hashes]:
        """For each ksize of the profile: the hashes kept of `text`, in any order, one as often as it is seen.

        `text` is DNA; k-mers with any letter but A, C, G and T are passed over.
        """


class KernelEngine:
    """Our own kernel: loops that numba compiles (kernel.py, fasta.py)."""

    name = "kernel"

    def __init__(self, profile: Profile) -> None:
        if find_spec("numba") is None:
            raise JobFailed(Reason.TOOL_MISSING, "the engine `kernel` needs numba; `--engine sourmash` does without")
        self.max_hash = profile.max_hash
        self._ksizes = np.array(profile.ksizes, np.int64)
        self._seed = profile.seed

    def new_reader(self) -> Reader:
        """See Engine."""
        from wort_cli.pipeline.sketching.compiled_fasta import FastaText

        return FastaText()

    def hash_text(self, text: Text) -> list[Hashes]:
        """See Engine."""
        from wort_cli.pipeline.sketching.hash_text import hash_text

        return hash_text(text, self._ksizes, self._seed, self.max_hash)


class SourmashEngine:
    """sourmash's own MinHash, for where numba can't run, and as a witness.

    Large texts are the point: a call for each read costs more in switches than in work.
    """

    name = "sourmash"

    def __init__(self, profile: Profile) -> None:
        from sourmash import MinHash

        self._empty = [
            MinHash(n=0, ksize=k, scaled=profile.scaled, seed=profile.seed, track_abundance=True)
            for k in profile.ksizes
        ]
        self.max_hash = int(self._empty[0]._max_hash)

    def new_reader(self) -> Reader:
        """See Engine."""
        from wort_cli.pipeline.sketching.plain_fasta import ReadsText

        return ReadsText()

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
