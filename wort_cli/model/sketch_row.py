"""A sketch as sourmash's manifests list it.

Source of the columns: sourmash src/sourmash/manifest.py (required_keys, make_manifest_row).
"""

from typing import NamedTuple

MANIFEST = "SOURMASH-MANIFEST.csv"
VERSION_LINE = "# SOURMASH-MANIFEST-VERSION: 1.0\n"
COLUMNS = (
    *("internal_location", "md5", "md5short", "ksize", "moltype", "num", "scaled", "n_hashes", "with_abundance"),
    *("name", "filename"),
)
MOST = 2**63 - 1
"""The largest integer of SQLite."""


class SketchRow(NamedTuple):
    """A sketch, as manifests list it.  A NamedTuple, because a catalog makes millions."""

    md5: str
    ksize: int
    """The k, in letters of the molecule."""
    moltype: str
    num: int
    scaled: int
    n_hashes: int
    with_abundance: bool
    abundance_sum: int | None
    """None if it has no abundances, or if their sum needs more than 63 bits."""
    filename: str
    title: str = ""
    """The field `name` of its signature, if that is not the name that it is stored under."""

    def cells(self, location: str, name: str) -> tuple[object, ...]:
        """Return the values of COLUMNS for the sketch of a signature, in a file at `location`."""
        return (
            *(location, self.md5, self.md5[:8], self.ksize, self.moltype, self.num, self.scaled, self.n_hashes),
            *(self.with_abundance, self.title or name, self.filename),
        )
