"""Obtains the archive of a run that is not on disk: located, fetched as far as a decoder needs it, and proved.

In this order: ask the locator and choose the format (offer.py); fetch the head (table of contents, usually all small
files); select the files that the decoder needs; fetch them; compare them with the archive's own md5 sums.  Where the
sums cannot prove the archive, fetch it as a whole and compare it with the locator's md5.  Without that md5 there is no
archive: damage on the way could not be noticed.

Two questions are kept apart.  *Integrity*: are these the bytes that the loader wrote?  The sums inside the archive, or
the md5 of the whole, answer that.  *Identity*: is this the archive of the run?  Only the locator answers that: by a
location that it names for the head, or by its md5 for the whole.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from wort_cli.model.accession import Accession
from wort_cli.model.archive_format import Format
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.arriving import while_arriving
from wort_cli.pipeline.archives.blob_index import UnknownIndex
from wort_cli.pipeline.archives.checksums import ReadExtent, md5_of
from wort_cli.pipeline.archives.column_blobs import ColumnBlobs, Rows, blobs_of, large_files
from wort_cli.pipeline.archives.column_proof import (
    Contents,
    NotProvable,
    differing_files,
    digest_of,
    read_contents,
    sums_of,
)
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, GAP, MAX_SHARE
from wort_cli.pipeline.archives.fetch import Fetch
from wort_cli.pipeline.archives.head import Head, fetch_head, head_extents
from wort_cli.pipeline.archives.http import HttpClient, HttpError
from wort_cli.pipeline.archives.kar import Extent, merge_extents
from wort_cli.pipeline.archives.locator import Location
from wort_cli.pipeline.archives.offer import Offer, Wish, find_offers
from wort_cli.pipeline.archives.partial import PartialArchive
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.pipeline.archives.sources import Sources
from wort_cli.system.cancellation import Cancellation

Result = TypeVar("Result")


class ProvedBy(StrEnum):
    """The proof of the integrity of an archive."""

    COLUMN_SUMS = "column-md5s"
    ARCHIVE_SUM = "archive-md5"
    NOTHING = "nothing"
    """Nothing: some slices were read for a quick check, or the toolkit streams the reads."""


@dataclass(frozen=True)
class Proof:
    """A proof of an archive."""

    by: ProvedBy
    sums: str
    """The md5 of the whole archive, or a sha256 over all sums that were compared; '' if nothing was."""
    identified: bool
    """Whether the locator's size or md5 confirms that this is the archive of the run."""
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
    """The locator's md5 of the whole archive; '' if unknown."""
    fetched: int
    """Bytes that are in the file."""
    proof: Proof


@dataclass(frozen=True)
class ArrivingArchive:
    """An archive whose needed files have arrived and were proved, except the data of its largest column."""

    obtained: Obtained
    """The result if that data matches its sum.  If it does not, `Obtainer.obtain` returns another proof."""
    _partial: PartialArchive
    _blobs: ColumnBlobs

    def has(self, rows: Rows) -> bool:
        """Return whether all cells of some rows have arrived.  Raises UnknownIndex."""
        return not self._partial.missing(self._blobs.extents(rows))


@dataclass(frozen=True)
class Plan:
    """The plan of a fetch."""

    format: Format
    size: int
    """Bytes of the archive."""
    fetched: int
    """Bytes of it that would be fetched."""
    url: str
    """The first location."""


class Obtainer:
    """Obtains archives; one for each attempt."""

    def __init__(
        self,
        client: HttpClient,
        politeness: Politeness,
        cancellation: Cancellation,
        log: Callable[[str], None],
        report: Callable[[str, int, int], None] = lambda stage, done, total: None,
        reserve: Callable[[int], None] = lambda size: None,
        key: bytes = b"",
        announce: "Callable[[ArrivingArchive | None], None]" = lambda archive: None,
    ) -> None:
        self._client = client
        self._politeness = politeness
        self._cancellation = cancellation
        self._log = log
        self._report = report
        """Called with `fetching` or `proving`, the bytes that are done, and those in all."""
        self._reserve = reserve
        """Called before so many bytes are fetched; raises JobFailed if the disk has too little space."""
        self._key = key
        """Seals the map of what has arrived; what was fetched without it is fetched again."""
        self._announce = announce
        """Called as soon as only the data of the largest column is still arriving; with None if that has to be fetched
        again, so that what was read of it does not count.
        """

    def obtain(self, wish: Wish, directory: Path) -> Obtained:
        """Return the archive of a run, in a file below `directory`, which keeps what an earlier attempt fetched.

        Raises JobFailed with the reason why there is none; OSError if the disk is full; Cancelled.
        """
        path = directory / f"{wish.run}.sra"
        try:
            return self._obtain_any(wish, path)
        except HttpError as error:
            raise JobFailed(error.reason, error.detail) from error
        finally:
            self._client.close_idle()  # other processes may wait for these connections

    def plan(self, wish: Wish, directory: Path) -> Plan:
        """Return what `obtain` would fetch; the head of the archive is fetched into `directory`.

        Raises JobFailed with the reason why there is no archive.
        """
        try:
            path = directory / f"{wish.run}.sra"
            offer = next(find_offers(wish, self._client, self._politeness, self._cancellation, self._log))
            with contextlib.closing(PartialArchive(path, offer.identity, self._key)) as partial:
                sources = Sources(offer.locations, partial, self._fetch_from, self._log)
                size, columns = partial.identity.size, 0
                try:
                    if not (wish.whole and partial.identity.md5):
                        head = self._usable_head(wish, sources, partial)
                        columns = sum(extent.size for extent in wanted_extents(head.contents, whole=wish.whole))
                except NotProvable as why:
                    check_has_md5(partial, wish.run, why)
                return Plan(offer.format, size, columns or size, sources.first)
        except HttpError as error:
            raise JobFailed(error.reason, error.detail) from error

    def _obtain_any(self, wish: Wish, path: Path) -> Obtained:
        """Return the first archive that is offered and can be proved."""
        failure: HttpError | None = None
        for offer in find_offers(wish, self._client, self._politeness, self._cancellation, self._log):
            try:
                return self._obtain_offer(wish, offer, path)
            except HttpError as error:
                self._announce(None)
                self._log(error.detail)
                failure = failure or error
        raise failure or HttpError(Reason.NOT_FOUND, "no archive is offered")

    def _obtain_offer(self, wish: Wish, offer: Offer, path: Path) -> Obtained:
        """Fetch and prove one archive."""
        with contextlib.closing(PartialArchive(path, offer.identity, self._key)) as partial:
            sources = Sources(offer.locations, partial, self._fetch_from, self._log)
            return obtained(offer, partial, self._fetch_and_prove(wish, offer, sources, partial))

    def _fetch_and_prove(self, wish: Wish, offer: Offer, sources: Sources, partial: PartialArchive) -> Proof:
        """Fetch what is needed; return how it was proved."""
        try:
            if wish.whole and partial.identity.md5:
                raise NotProvable("that is what the settings ask for")
            return self._prove_columns(wish, offer, sources, partial)
        except NotProvable as why:
            self._announce(None)
            check_has_md5(partial, wish.run, why)
            self._log(f"{wish.run}: fetching the whole archive: {why}")
        return self._prove_whole(wish.run, sources, partial)

    def _prove_columns(self, wish: Wish, offer: Offer, sources: Sources, partial: PartialArchive) -> Proof:
        """Fetch the needed columns and compare them with the archive's sums.

        Raises NotProvable if the sums cannot prove the archive; HttpError(corrupt) if a file does not match its sum
        wherever it is fetched from.
        """
        head = self._usable_head(wish, sources, partial)
        for _ in range(sources.rounds):
            proof = Proof(ProvedBy.COLUMN_SUMS, digest_of(head.contents, head.sums), head.identified, sources.first)
            announce = functools.partial(self._announce_arriving, offer, partial, head, proof)
            examine = functools.partial(find_differences, head, announce)
            extents = wanted_extents(head.contents, whole=wish.whole)
            wrong = self._fetch(sources, partial, extents, head.contents.selection.size, examine)
            if not wrong:
                return replace(proof, url=sources.used)
            self._announce(None)
            self._log(f"{', '.join(wrong)}: not as its md5 sum says; fetching it again")
            sources.next_turn()
            earlier = head
            for extent in head_extents(earlier.contents):  # one of the sums may be what is wrong
                partial.forget(extent)
            head = self._usable_head(wish, sources, partial)
            for path in wrong:
                if head.sums.get(path) == earlier.sums[path]:
                    partial.forget(earlier.contents.table[path])
        if partial.identity.md5 and sources.disagree:
            raise NotProvable(f"{wrong[0]} does not match its md5 sum, and a mirror has other sums")
        raise HttpError(Reason.CORRUPT, f"{wrong[0]} of {wish.run} does not match its md5 sum")

    def _announce_arriving(self, offer: Offer, partial: PartialArchive, head: Head, proof: Proof) -> None:
        """Announce the archive if the blobs of the column that is still arriving can be found."""
        last = head.contents.selection.files[-1]
        if last in large_files(head.contents):
            with contextlib.suppress(UnknownIndex):
                blobs = blobs_of(last, head.contents, partial)
                self._announce(ArrivingArchive(obtained(offer, partial, proof), partial, blobs))

    def _usable_head(self, wish: Wish, sources: Sources, partial: PartialArchive) -> Head:
        """Fetch the head.  Raises NotProvable unless the columns can be proved with it, and are worth that."""
        head = fetch_head(sources, partial, wish.decoder, self._log)
        if partial.identity.md5 and not head.identified:
            raise NotProvable("its head came from a mirror, so the whole must match the locator's md5")
        if partial.identity.md5 and head.contents.selection.size > MAX_SHARE * partial.identity.size:
            raise NotProvable("the needed columns are most of it")
        return head

    def _prove_whole(self, run: Accession, sources: Sources, partial: PartialArchive) -> Proof:
        """Fetch all of an archive and compare it with the locator's md5.

        Raises HttpError(corrupt) if it differs everywhere.
        """
        whole, md5 = Extent(0, partial.identity.size), partial.identity.md5
        seen: set[tuple[str, str]] = set()
        for _ in range(sources.rounds):
            found = self._fetch(sources, partial, [whole], whole.size, lambda read, stop: md5_of(read(whole), stop))
            if found == md5:
                self._check_sums_inside(run, partial)
                return Proof(ProvedBy.ARCHIVE_SUM, md5, True, sources.used)
            if (sources.used, found) in seen and not sources.leave(sources.used):
                break
            seen.add((sources.used, found))
            self._log(f"{run}: the archive does not match the locator's md5; fetching it again")
            partial.forget(whole)
            sources.compare_mirrors([])  # the head may be what is wrong
            sources.next_turn()
        raise HttpError(Reason.CORRUPT, f"the archive of {run} does not match the locator's md5")

    def _check_sums_inside(self, run: Accession, partial: PartialArchive) -> None:
        """Raise HttpError(corrupt) if a whole archive contradicts its own sums, as one that was loaded wrongly does."""
        try:
            contents = read_contents(partial.identity.size, partial.read, FASTQ_DUMP)
            files, sums = contents.selection.files, sums_of(contents, partial.read)
            wrong = differing_files(files, contents.table, sums, partial.read, self._cancellation)
        except NotProvable:
            return  # an archive without sums, or of a form that is unknown here
        if wrong:
            raise HttpError(Reason.CORRUPT, f"{wrong[0]} of {run} does not match its md5 sum")

    def _fetch(
        self,
        sources: Sources,
        partial: PartialArchive,
        extents: Sequence[Extent],
        size: int,
        examine: Callable[[ReadExtent, Cancellation], Result],
    ) -> Result:
        """Fetch some extents; return what `examine` returns, which reads `size` bytes of the archive meanwhile."""
        return while_arriving(
            partial,
            lambda: sources.fetch(extents),
            lambda read: examine(read, self._cancellation),
            lambda done: self._report("proving", done, size),
        )

    def _fetch_from(self, locations: Sequence[Location], partial: PartialArchive, extents: Sequence[Extent]) -> Fetch:
        """Fetch what is missing of some extents from any of some locations."""
        lacking = sum(extent.size for extent in partial.missing(extents))
        self._reserve(lacking)
        arrived = 0
        started = time.monotonic()

        def count(size: int) -> None:
            nonlocal arrived
            arrived += size
            self._report("fetching", arrived, lacking)

        fetch = Fetch(self._client, locations, partial, self._politeness, self._cancellation, count)
        fetch.fetch(merge_extents(extents, GAP))
        self._log(f"fetched {lacking:,} bytes in {time.monotonic() - started:.1f} s from {', '.join(fetch.used)}")
        return fetch


def obtained(offer: Offer, partial: PartialArchive, proof: Proof) -> Obtained:
    """Return a fetched archive with its proof."""
    identity = partial.identity
    return Obtained(partial.path, offer.format, identity.size, identity.md5, partial.arrived_bytes(), proof)


def find_differences(
    head: Head, note_all_but_last: Callable[[], None], read: ReadExtent, cancellation: Cancellation
) -> list[str]:
    """Return the needed files that do not match their sum; call `note_all_but_last` once all except the last one do."""
    contents = head.contents
    *others, last = contents.selection.files
    wrong = differing_files(others, contents.table, head.sums, read, cancellation)
    if not wrong:
        note_all_but_last()
    return wrong + differing_files([last], contents.table, head.sums, read, cancellation)


def check_has_md5(partial: PartialArchive, run: Accession, why: NotProvable) -> None:
    """Raise HttpError(unprovable) unless the locator has an md5 of an archive whose own sums cannot prove it."""
    if not partial.identity.md5:
        detail = f"nothing proves the archive of {run}: NCBI's locator gave no md5 of it, and {why}"
        raise HttpError(Reason.UNPROVABLE, detail) from why


def wanted_extents(contents: Contents, *, whole: bool) -> list[Extent]:
    """Return what is fetched of an archive: the needed files, or all of it."""
    if whole or contents.selection.size > MAX_SHARE * contents.size:
        return [Extent(0, contents.size)]
    return merge_extents((contents.table[path] for path in contents.selection.files), GAP)
