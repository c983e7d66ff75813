"""Recognises files of amino acids, which must not be sketched as DNA.

`sourmash sketch dna` takes them without a word: of their k-mers, it skips all that have other letters than ACGT.
"""

import numpy as np

from wort_cli.pipeline.reads.faults import BadReads, Fault
from wort_cli.pipeline.reads.parser import Text

SAMPLE = 1 << 16
"""Letters of a file that are looked at: the first ones."""
SHARE = 0.1
"""The share of letters that occur only in amino acids, from which a file is refused.  In proteins it is about 0.35."""
NO_BASES = np.isin(np.arange(256), np.frombuffer(b"EFILPQefilpq", np.uint8))
"""Whether a byte is a letter of an amino acid and of no base, nor of several bases (IUPAC)."""


class MoleculeCheck:
    """Looks at the first letters of a file, whose text comes in pieces."""

    def __init__(self) -> None:
        self._letters = self._others = 0

    def see(self, text: Text) -> None:
        """Look at the next piece; raise BadReads once enough letters are known not to be DNA."""
        if self._letters < SAMPLE:
            some = text[: SAMPLE - self._letters]
            self._letters += int(np.count_nonzero(some != ord("\n")))
            self._others += int(np.count_nonzero(NO_BASES[some]))
            if self._letters >= SAMPLE:
                self.finish()

    def finish(self) -> None:
        """Raise BadReads if the file, of which all was seen, is not DNA."""
        if self._others > SHARE * self._letters:
            raise BadReads(Fault.AMINO_ACIDS)
