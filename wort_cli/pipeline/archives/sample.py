"""Obtains a few slices of the archive of a run that is not on disk: for a quick verification.

Everything that a decoder needs is fetched, except the data of large columns.  Of these, the blobs are fetched that hold
the slices; the indexes, which are proved by the archive's own md5 sums, say where they are (blob_index.py).  So the
bytes of a quick verification hardly grow with the run.  Nothing but the checksums of the blobs proves what was fetched
of the large columns: enough to read it, but a caller that finds a contradiction has to obtain the whole archive first.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wort_cli.model.archive_format import Format
from wort_cli.pipeline.archives.blob_index import UnknownIndex
from wort_cli.pipeline.archives.column_blobs import Rows, blobs_of, large_files
from wort_cli.pipeline.archives.column_proof import NotProvable, differing_files
from wort_cli.pipeline.archives.columns import GAP
from wort_cli.pipeline.archives.head import fetch_head
from wort_cli.pipeline.archives.kar import merge_extents
from wort_cli.pipeline.archives.obtain import Obtained, Obtainer, Proof, ProvedBy
from wort_cli.pipeline.archives.offer import Offer, Wish, find_offers
from wort_cli.pipeline.archives.partial import PartialArchive
from wort_cli.pipeline.archives.sources import Sources


@dataclass(frozen=True)
class SampledFile:
    """An archive without the data of its large columns, as it is when the slices are chosen."""

    path: Path
    format: Format
    size: int
    """Bytes of the whole archive."""


ChooseRows = Callable[[SampledFile], Sequence[Rows]]


class SampleObtainer(Obtainer):
    """Obtains slices of archives."""

    def obtain_sample(self, wish: Wish, directory: Path, choose: ChooseRows) -> Obtained:
        """Return an archive of which the slices can be read that `choose` returns.

        Raises NotProvable if the archive has to be obtained as usual; HttpError, OSError or Cancelled.
        """
        offer = next(find_offers(wish, self._client, self._politeness, self._cancellation, self._log))
        path = directory / f"{wish.run}.sra"
        with contextlib.closing(PartialArchive(path, offer.identity)) as partial:
            sources = Sources(offer.locations, partial, self._fetch_from, self._log)
            self._fetch_slices(wish, offer, sources, partial, choose)
            proof = Proof(ProvedBy.NOTHING, "", False, sources.used)
            size, md5 = partial.identity.size, partial.identity.md5
            return Obtained(path, offer.format, size, md5, partial.arrived_bytes(), proof)

    def _fetch_slices(
        self, wish: Wish, offer: Offer, sources: Sources, partial: PartialArchive, choose: ChooseRows
    ) -> None:
        head = fetch_head(sources, partial, wish.decoder, self._log)
        if partial.identity.md5 and not head.identified:
            raise NotProvable("its head came from a mirror, so the whole must match the locator's md5")
        large = large_files(head.contents)
        if not large:
            raise NotProvable("it has no large columns")
        rest = tuple(file for file in head.contents.selection.files if file not in large)
        contents = replace(head.contents, selection=replace(head.contents.selection, files=rest))
        sources.fetch(merge_extents((contents.table[file] for file in rest), GAP))
        if wrong := differing_files(rest, contents.table, head.sums, partial.read, self._cancellation):
            raise NotProvable(f"{wrong[0]} does not match its md5 sum")
        slices = choose(SampledFile(partial.path, offer.format, partial.identity.size))
        try:
            blobs = [blobs_of(file, contents, partial) for file in large]
            extents = [extent for column in blobs for part in slices for extent in column.extents(part)]
        except UnknownIndex as why:
            raise NotProvable(f"the index of a column is of an unknown form: {why}") from why
        sources.fetch(merge_extents(extents, GAP))
