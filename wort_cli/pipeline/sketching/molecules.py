"""Hashes the k-mers of other molecules than plain DNA with sourmash's own code, read by read.

Amino acids, their classes (dayhoff, hp) and skipmers depend on where a read begins: on its reading frames, or on which
of its bases are skipped.  So the text must have whole reads, with a line feed before each.
"""

import numpy as np

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import Profile
from wort_cli.pipeline.sketching.columns import Column, columns_of
from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader
from wort_cli.pipeline.sketching.slice_decoder import Text
from wort_cli.pipeline.sketching.slices import Hashes

READ = b"\n"
"""The separator before each read in the text; no read contains it."""
FLAGS = {
    "protein": "is_protein",
    "dayhoff": "dayhoff",
    "hp": "hp",
    "skipm1n3": "skipm1n3",
    "skipm2n3": "skipm2n3",
}
"""The argument of sourmash's MinHash for each molecule."""
SHORTEST = 3
"""Letters of a read, at least, for which sourmash is called; shorter ones have no k-mer of any of these molecules."""


class MoleculeEngine:
    """See Engine.  The hashes are those of `sourmash sketch translate` and `sourmash sketch dna -p skipm2n3`."""

    name = "sourmash"
    needs_whole_reads = True

    def __init__(self, profile: Profile) -> None:
        from sourmash import MinHash

        flag = {FLAGS[profile.moltype]: True}
        by_letters = profile.moltype in ("protein", "dayhoff", "hp")
        self.columns: tuple[Column, ...] = columns_of(profile)
        try:
            self._empty = [
                MinHash(
                    n=0,
                    ksize=column.ksize // 3 if by_letters else column.ksize,  # MinHash multiplies those of amino acids
                    scaled=profile.scaled,
                    seed=profile.seed,
                    track_abundance=True,
                    **flag,
                )
                for column in self.columns
            ]
        except TypeError as error:  # an older sourmash has no skipmers
            raise JobFailed(
                Reason.TOOL_MISSING, f"the installed sourmash has no molecule {profile.moltype}: {error}"
            ) from None

    def fasta_reader(self) -> PythonFastaReader:
        """See Engine."""
        return PythonFastaReader(READ)

    def hash_text(self, text: Text) -> list[Hashes]:
        """See Engine."""
        reads = [read for read in bytes(text).split(READ) if len(read) >= SHORTEST]
        results = []
        for empty in self._empty:
            minhash = empty.copy_and_clear()
            for read in reads:
                minhash.add_sequence(read, force=True)
            kept = minhash.hashes
            hashes = np.fromiter(kept.keys(), np.uint64, len(kept))
            results.append(np.repeat(hashes, np.fromiter(kept.values(), np.int64, len(kept))))
        return results
