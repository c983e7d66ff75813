"""The result of a verification as JSON has it."""

from wort_cli.commands.shared.showing.fields import (
    BASES,
    BOOLEAN,
    COUNT,
    NUMBER,
    RATIO,
    TEXT,
    Field,
    list_of,
    one_of,
    record_of,
)
from wort_cli.model.provenance import Trust
from wort_cli.model.verdict import Depth

COMPARISON = record_of(
    Field("ksize", NUMBER, "The k of the sketch"),
    Field("hashes", COUNT, "Hashes in the signature"),
    Field("expected", COUNT, "Hashes that were recomputed"),
    Field("missing", COUNT, "Recomputed hashes that the signature does not have"),
    Field("extra", COUNT, "Hashes that only the signature has"),
    Field("drifted", COUNT, "Common hashes with another abundance"),
    Field("abundance_ratio", RATIO, "The sum of abundances in the signature, divided by the recomputed sum"),
    Field("jaccard", RATIO, "The Jaccard similarity of the two sketches"),
    Field("containment", RATIO, "The fraction of the recomputed hashes that the signature has"),
)
VERDICT = record_of(
    Field("trust", one_of(Trust), "The trust that follows from the comparison"),
    Field("depth", one_of(Depth), "Whether everything was recomputed, or a few slices"),
    Field("cause", TEXT, "The most likely cause of a mismatch; else empty"),
    Field("comparisons", list_of(COMPARISON), "The comparison of each sketch"),
    Field("slices", list_of(list_of(COUNT)), "The first and last spots of the slices that a quick verification read"),
    Field("engine", TEXT, "The engine"),
    Field("bases", BASES, "The length of all reads that were read"),
    Field("format", TEXT, "The format of the archive that was read; empty if it is unknown"),
    Field("made_from", TEXT, "The other format, if the signature was made from that; else empty"),
    Field("of_copy", BOOLEAN, "Whether only the copy in the bucket is wrong"),
)
