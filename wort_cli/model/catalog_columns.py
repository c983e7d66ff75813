"""The columns of a catalog: a row for each sketch, as the manifests of sourmash have it, and more.

Source: the parquet manifests of the public wort service have the columns of sourmash, then sha256, creation_date, size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from wort_cli.model.run_condition import COLUMNS as METADATA
from wort_cli.model.run_condition import NUMBERS
from wort_cli.model.sketch_row import COLUMNS as OF_SOURMASH

SIGNATURE_COLUMNS = ("sha256", "creation_date", "size", "trust", "profile", "digest", "url")
CATALOG_COLUMNS = (*OF_SOURMASH, *SIGNATURE_COLUMNS, *METADATA)
INTEGERS = frozenset(("ksize", "num", "scaled", "n_hashes", "with_abundance", "size")) | NUMBERS
"""Columns of integers; with_abundance is 0 or 1.  The others are text, except for creation_date."""
DATE = "creation_date"
"""When the catalog recorded the signature, in seconds since 1970; files have it as a date and a time in UTC."""

OF_PAGE_SIGNATURES = ("name", "internal_location", *SIGNATURE_COLUMNS, *METADATA)
OF_PAGE_SKETCHES = ("md5", "ksize", "moltype", "num", "scaled", "n_hashes", "with_abundance", "filename")


@dataclass(frozen=True)
class CatalogPage:
    """The rows of some signatures.  None stands for what is not known."""

    signatures: list[tuple[Any, ...]]
    """The values of OF_PAGE_SIGNATURES."""
    sketches: list[tuple[Any, ...]]
    """The position of the signature in `signatures`, then the values of OF_PAGE_SKETCHES."""

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the values of CATALOG_COLUMNS for each sketch."""
        for position, md5, ksize, moltype, num, scaled, n_hashes, with_abundance, filename in self.sketches:
            name, location, *rest = self.signatures[position]
            yield (
                *(location, md5, md5[:8], ksize, moltype, num, scaled, n_hashes, with_abundance, name, filename),
                *rest,
            )


class LeftOut(NamedTuple):
    """Signatures that a catalog does not have."""

    refuted: int
    """Refuted by a verification."""
    without_sketches: int
    """Signatures whose sketches the ledger does not know."""
