"""Obtains the archive of a run that is not on disk: located, fetched as far as a decoder needs it, and proved.

In this order: ask the locator and choose the format (offer.py); fetch the head (table of contents, usually all small
files); select the files that the decoder needs; fetch them; compare them with the archive's own md5 sums.  Where the
sums cannot prove the archive, fetch it as a whole and compare it with the locator's md5.

Two questions are kept apart.  *Integrity*: are these the bytes that the loader wrote?  The sums inside the archive, or
the md5 of the whole, answer that.  *Identity*: is this the archive of the run?  Only the locator answers that: by a
location that it names for the head, or by its md5 for the whole.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from wort_cli.model.accession import Accession
from wort_cli.model.archive_format import Format
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.checksums import is_sums_file, md5_of
from wort_cli.pipeline.archives.column_proof import (
    Contents,
    NotProvable,
    check_provable,
    differing_files,
    digest_of,
    join,
    read_contents,
    sums_of,
)
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, GAP, MAX_SHARE
from wort_cli.pipeline.archives.fetch import Fetch, Politeness
from wort_cli.pipeline.archives.http import HttpClient, HttpError
from wort_cli.pipeline.archives.kar import HEADER_SIZE, Extent, KarError, merge_extents, read_header
from wort_cli.pipeline.archives.locator import Location
from wort_cli.pipeline.archives.offer import Offer, Wish, find_offer
from wort_cli.pipeline.archives.partial import PartialArchive
from wort_cli.system.cancellation import Cancellation

HEAD_SIZE = 1 << 17
"""Bytes that are fetched first; of most archives they hold everything but the large columns."""
ROUNDS = 3
"""How often bytes that do not match their sum are fetched, each time from the next location where there is one."""


class ProvedBy(StrEnum):
    """What proved the integrity of an archive."""

    COLUMN_SUMS = "column-md5s"
    ARCHIVE_SUM = "archive-md5"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Proof:
    """How an archive was proved."""

    by: ProvedBy
    sums: str
    """The md5 of the whole archive, or a sha256 over all sums that were compared; '' if nothing was."""
    identified: bool
    """Whether the locator vouches that this is the archive of the run."""
    url: str
    """Where the bytes came from; the first location, if from several."""


@dataclass(frozen=True)
class Obtained:
    """An archive on disk, perhaps with holes, whose needed bytes were proved."""

    path: Path
    format: Format
    size: int
    """Bytes of the archive."""
    md5: str
    """Of the whole archive, by the locator; '' if unknown."""
    fetched: int
    """Bytes that are in the file."""
    proof: Proof


@dataclass(frozen=True)
class Head:
    """The contents of an archive, and whether they came from a location that the locator names."""

    contents: Contents
    identified: bool


class Obtainer:
    """Obtains archives; one for each attempt."""

    def __init__(
        self,
        client: HttpClient,
        politeness: Politeness,
        cancellation: Cancellation,
        log: Callable[[str], None],
        report: Callable[[int, int], None] = lambda arrived, wanted: None,
        reserve: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._client = client
        self._politeness = politeness
        self._cancellation = cancellation
        self._log = log
        self._report = report
        """Called with the bytes that have arrived, and those that are wanted in all."""
        self._reserve = reserve
        """Called before so many bytes are fetched; raises JobFailed if the disk has too little space."""

    def obtain(self, wish: Wish, directory: Path) -> Obtained:
        """Return the archive of a run, in a file below `directory`, which keeps what an earlier attempt fetched.

        Raises JobFailed with the reason why there is none; OSError if the disk is full; Cancelled.
        """
        try:
            offer = find_offer(wish, self._client, self._politeness, self._cancellation, self._log)
            partial = PartialArchive(directory / f"{wish.run}.sra", offer.identity)
            try:
                proof = self._fetch_and_prove(wish, offer, partial)
                return Obtained(
                    partial.path, offer.format, offer.identity.size, offer.identity.md5, partial.arrived_bytes(), proof
                )
            finally:
                partial.close()
        except HttpError as error:
            raise JobFailed(error.reason, error.detail) from error

    def _fetch_and_prove(self, wish: Wish, offer: Offer, partial: PartialArchive) -> Proof:
        """Fetch what is needed; return how it was proved."""
        if not wish.whole:
            try:
                head = self._fetch_head(wish, offer, partial)
                if not head.identified and offer.identity.md5:
                    raise NotProvable("its head came from a mirror, so the whole must match the locator's md5")
                if head.contents.selection.size > MAX_SHARE * offer.identity.size:
                    raise NotProvable("the needed columns are most of it")
                return self._prove_columns(offer, head, partial)
            except (KarError, NotProvable) as why:
                self._log(f"{wish.run}: fetching the whole archive: {why}")
        return self._prove_whole(offer, partial)

    # ---- the head ------------------------------------------------------------

    def _fetch_head(self, wish: Wish, offer: Offer, partial: PartialArchive) -> Head:
        """Fetch and read the table of contents, and select the files that the decoder needs."""
        size = partial.identity.size
        identified = self._fetch_from(offer.named, offer.mirrors, partial, Extent(0, min(HEAD_SIZE, size)))
        data_offset = read_header(join(partial.read(Extent(0, min(HEADER_SIZE, size))))).data_offset
        identified &= self._fetch_from(offer.named, offer.mirrors, partial, Extent(0, min(data_offset, size)))
        return Head(read_contents(size, partial.read, wish.decoder), identified)

    def _fetch_from(
        self, named: Sequence[Location], mirrors: Sequence[Location], partial: PartialArchive, extent: Extent
    ) -> bool:
        """Fetch an extent from the locator's locations, else from the mirrors; return whether from the former."""
        if named:
            try:
                self._fetch(named, partial, [extent])
                return True
            except HttpError as error:
                if not mirrors or error.reason is Reason.RATE_LIMITED:
                    raise
                self._log(error.detail)
                partial.forget(extent)
        self._fetch(mirrors, partial, [extent])
        return False

    # ---- columns -------------------------------------------------------------

    def _prove_columns(self, offer: Offer, head: Head, partial: PartialArchive) -> Proof:
        """Fetch the needed columns and compare them with the archive's sums.

        Raises NotProvable if the sums cannot prove the archive; HttpError(corrupt) if a file does not match its sum
        wherever it is fetched from.
        """
        contents = head.contents
        locations = [*offer.named, *offer.mirrors]
        wanted = merge_extents((contents.table[path] for path in contents.selection.files), GAP)
        self._fetch(locations, partial, [extent for path, extent in contents.table.items() if is_sums_file(path)])
        sums = sums_of(contents, partial.read)
        self._fetch(locations, partial, wanted)
        for _ in range(ROUNDS):
            wrong = differing_files(contents, sums, partial.read, self._cancellation)
            if not wrong:
                check_provable(contents, sums, partial.read)
                return Proof(ProvedBy.COLUMN_SUMS, digest_of(contents, sums), head.identified, locations[0].url)
            self._log(f"{', '.join(wrong)}: not as its md5 sum says; fetching it again")
            for path in wrong:
                partial.forget(contents.table[path])
            locations = [*locations[1:], locations[0]]
            self._fetch(locations, partial, wanted)
        raise HttpError(Reason.CORRUPT, f"what {offer.run} has in {wrong[0]} does not match its md5 sum")

    # ---- the whole -----------------------------------------------------------

    def _prove_whole(self, offer: Offer, partial: PartialArchive) -> Proof:
        """Fetch all of an archive and compare it with the locator's md5.

        Without an md5 the caller has to prove its integrity.  Raises HttpError(corrupt) if it differs everywhere.
        """
        locations = [*offer.named, *offer.mirrors]
        whole = Extent(0, partial.identity.size)
        for _ in range(ROUNDS):
            self._fetch(locations, partial, [whole])
            if not offer.identity.md5:
                return Proof(ProvedBy.NOTHING, "", False, locations[0].url)
            if md5_of(partial.read(whole), self._cancellation) == offer.identity.md5:
                self._check_sums_inside(offer.run, partial)
                return Proof(ProvedBy.ARCHIVE_SUM, offer.identity.md5, True, locations[0].url)
            self._log(f"{offer.run}: the archive does not match the locator's md5; fetching it again")
            partial.forget(whole)
            locations = [*locations[1:], locations[0]]
        raise HttpError(Reason.CORRUPT, f"the archive of {offer.run} does not match the locator's md5")

    def _check_sums_inside(self, run: Accession, partial: PartialArchive) -> None:
        """Raise HttpError(corrupt) if a whole archive contradicts its own sums, as one that was loaded wrongly does."""
        try:
            contents = read_contents(partial.identity.size, partial.read, FASTQ_DUMP)
            wrong = differing_files(contents, sums_of(contents, partial.read), partial.read, self._cancellation)
        except NotProvable:
            return  # an archive without sums, or of a form that is unknown here
        if wrong:
            raise HttpError(Reason.CORRUPT, f"what {run} has in {wrong[0]} does not match its md5 sum")

    def _fetch(self, locations: Sequence[Location], partial: PartialArchive, extents: Sequence[Extent]) -> None:
        """Fetch what is missing of some extents."""
        lacking = sum(extent.size for extent in partial.missing(extents))
        if not lacking:
            return
        self._reserve(lacking)
        arrived = 0
        started = time.monotonic()

        def count(size: int) -> None:
            nonlocal arrived
            arrived += size
            self._report(arrived, lacking)

        fetch = Fetch(self._client, locations, partial, self._politeness, self._cancellation, count)
        fetch.fetch(merge_extents(extents, GAP))
        self._log(f"fetched {lacking} bytes in {time.monotonic() - started:.1f} s from {', '.join(fetch.used)}")
