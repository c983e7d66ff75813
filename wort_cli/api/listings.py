"""Records in the ledger what is known of the runs of a listing."""

from collections.abc import Iterator

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.pipeline.projects.kept import Listing


def record_listing(ledger: Ledger, listing: Listing) -> None:
    """Record the metadata of a listing in the ledger."""

    def rows() -> Iterator[tuple[RunMetadata, str]]:
        for row in listing.rows():
            yield row.run, ", ".join(row.services)

    ledger.runs.record(rows(), listing.listed_at)
