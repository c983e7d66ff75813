"""The checks that a submitted signature passes, in the order in which they are shown.

The reader stops at the first fault, and says of which check it is.
"""

from enum import StrEnum


class Check(StrEnum):
    """A check."""

    RECEIVED = "received"
    LIMITS = "limits"
    UNPACKED = "unpacked"
    GRAMMAR = "grammar"
    ONE = "one signature"
    MOLECULE = "molecule"
    KSIZES = "k"
    SEED = "seed"
    SCALED = "scaled"
    HASHES = "hashes"
    ABUNDANCES = "abundances"
    MD5 = "md5"
    PROFILE = "profile"
    NAME = "name"
    PUBLIC = "public"
    STORED = "stored"

    @property
    def sentence(self) -> str:
        """The check, as a sentence."""
        return SENTENCES[self]


SENTENCES = {
    Check.RECEIVED: "the file has arrived",
    Check.LIMITS: "it can be read within the limits of size, memory and time",
    Check.UNPACKED: "it is JSON, as it is or in gzip, or a zip file of sourmash, and it is not damaged",
    Check.GRAMMAR: "it is written exactly as sourmash 4 writes signatures",
    Check.ONE: "it is one signature, with one sketch of each k",
    Check.MOLECULE: "its molecule is that of a profile",
    Check.KSIZES: "its k are all those of a profile, and no others",
    Check.SEED: "its seed is that of a profile",
    Check.SCALED: "its scaled is that of a profile",
    Check.HASHES: "its hashes ascend, none is above the limit of scaled, and there is at least one",
    Check.ABUNDANCES: "each hash has an abundance of at least 1, if the profile has abundances",
    Check.MD5: "the md5 of each sketch is that of its hashes",
    Check.PROFILE: "its parameters are together those of the profile",
    Check.NAME: "its name says which run or data it is of",
    Check.PUBLIC: "the data are not known to be missing from the public databases",
    Check.STORED: "it is stored, apart from what was computed here",
}
IN_THE_SANDBOX = frozenset(tuple(Check)[1:13])
"""The checks that the reader makes in one pass, in a process of its own."""
OF_PARTS = {
    "num": Check.SCALED,
    "ksize": Check.KSIZES,
    "seed": Check.SEED,
    "max_hash": Check.SCALED,
    "mins": Check.HASHES,
    "md5sum": Check.MD5,
    "abundances": Check.ABUNDANCES,
    "molecule": Check.MOLECULE,
}
"""The check of each part of a sketch."""
