"""The code that hashes: text in, the hashes that a FracMinHash keeps out.

An engine is one function of a profile and a text, without state between calls, safe to call from several threads at
once, and quick only if it lets go of the GIL.  All engines give the same hashes.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from wort_cli.pipeline.counts import Hashes
from wort_cli.profile import Profile


class Engine(Protocol):
    """Hashes text by a profile."""

    name: str
    max_hash: int
    """Hashes above it are not kept."""

    def hash_text(self, text: bytes) -> list[tuple[Hashes, Hashes]]:
        """For each ksize of the profile: the distinct hashes kept of `text`, and how often each was seen.

        `text` is DNA; k-mers with any letter but A, C, G and T are passed over.
        """


class SourmashEngine:
    """sourmash's own MinHash.  Large texts are the point: a call per read costs more in switches than in work."""

    name = "sourmash"

    def __init__(self, profile: Profile) -> None:
        from sourmash import MinHash

        self._empty = [
            MinHash(n=0, ksize=k, scaled=profile.scaled, seed=profile.seed, track_abundance=True)
            for k in profile.ksizes
        ]
        self.max_hash = int(self._empty[0]._max_hash)

    def hash_text(self, text: bytes) -> list[tuple[Hashes, Hashes]]:
        """See Engine."""
        results = []
        for empty in self._empty:
            minhash = empty.copy_and_clear()
            minhash.add_sequence(text, force=True)
            kept = minhash.hashes
            results.append(
                (np.fromiter(kept.keys(), np.uint64, len(kept)), np.fromiter(kept.values(), np.uint64, len(kept)))
            )
        return results


ENGINES: dict[str, Callable[[Profile], Engine]] = {"sourmash": SourmashEngine}
