"""The locations of one archive, which are asked in turn: those that the locator names, then mirrors.

A mirror is asked only if it agrees with what a location of the locator served: in the size of the archive, and byte for
byte in its head (the table of contents and the md5 sums).  Where the head did not come from a location of the locator,
there is nothing to compare with, and every mirror is asked.
"""

from collections.abc import Callable, Sequence
from itertools import groupby

from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.fetch import Fetch
from wort_cli.pipeline.archives.http import HttpError, host_of
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.locator import Location
from wort_cli.pipeline.archives.partial import Identity, PartialArchive

MIN_ROUNDS, MAX_ROUNDS = 3, 6
"""The number of times that wrong bytes are fetched, each time from the next location."""

FetchFrom = Callable[[Sequence[Location], PartialArchive, Sequence[Extent]], Fetch]
"""Fetches what is missing of some extents from any of some locations.  Raises HttpError if all of them fail."""


class Sources:
    """Fetches the parts of one archive."""

    def __init__(
        self, locations: Sequence[Location], partial: PartialArchive, fetch_from: FetchFrom, log: Callable[[str], None]
    ) -> None:
        self._locations = list(locations)
        self._partial = partial
        self._fetch_from = fetch_from
        self._log = log
        self._head: list[Extent] = []
        """The extents that a mirror must have in common with the locator's locations; empty while that is unknown."""
        self._agreeing: dict[str, bool] = {}
        """Whether each compared mirror agrees, by its URL."""
        self._failed: set[Location] = set()
        """Locations that failed permanently in this attempt; they are tried last."""
        self._used = ""

    @property
    def rounds(self) -> int:
        """The number of times that wrong bytes are fetched: from every location, and from the first one again."""
        return min(MAX_ROUNDS, max(MIN_ROUNDS, len(self._locations) + 1))

    @property
    def first(self) -> str:
        """The URL that is asked first now.  Raises HttpError(network) if there is none."""
        return self._first(self._in_order())

    @property
    def first_for_head(self) -> str:
        """The URL that is asked first now for the head."""
        return self._first(self._in_order_for_head())

    @property
    def used(self) -> str:
        """The URL that served bytes last; the first one if all bytes had arrived before."""
        return self._used or self.first

    def next_turn(self) -> None:
        """Ask the next location first from now on, because it sent wrong bytes."""
        self._locations = [*self._locations[1:], *self._locations[:1]]

    def leave(self, url: str) -> bool:
        """Ask a location that has wrong bytes after all others; return whether there are others."""
        self._failed |= {location for location in self._locations if location.url == url}
        return any(location not in self._failed for location in self._locations)

    @property
    def disagree(self) -> bool:
        """Whether a mirror has another head than the locator's locations, so that one of them is wrong."""
        return not all(self._agreeing.values())

    def compare_mirrors(self, head: Sequence[Extent]) -> None:
        """Ask from now on only mirrors that have the bytes of `head`, which came from a location of the locator."""
        if self._head != list(head):
            self._head = list(head)
            self._agreeing.clear()

    def fetch(self, extents: Sequence[Extent]) -> None:
        """Fetch what is missing of some extents.

        Raises HttpError if no location serves it, with the reason of the first; OSError if it cannot be written.
        """
        self._fetch_in_order(self._in_order(), extents)

    def fetch_head(self, extents: Sequence[Extent]) -> None:
        """Fetch what is missing of some extents, from the locator's locations if they serve it, else from mirrors.

        What mirrors served earlier is replaced.
        """
        if any(location.named and location not in self._failed for location in self._locations):
            for extent in self._partial.not_named(extents):
                self._partial.forget(extent)
        self._fetch_in_order(self._in_order_for_head(), extents)

    def _in_order(self) -> list[Location]:
        return sorted(self._locations, key=lambda location: location in self._failed)

    def _in_order_for_head(self) -> list[Location]:
        return sorted(self._locations, key=lambda location: (location in self._failed, not location.named))

    @staticmethod
    def _first(locations: Sequence[Location]) -> str:
        if not locations:
            raise HttpError(Reason.NETWORK, "there is no location to fetch the archive from")
        return locations[0].url

    def _fetch_in_order(self, order: Sequence[Location], extents: Sequence[Extent]) -> None:
        if not self._partial.missing(extents):
            return
        failure: HttpError | None = None
        for named, group in groupby(order, key=lambda location: location.named):
            locations = [location for location in group if named or self._agrees(location)]
            if not locations:
                continue
            try:
                fetched = self._fetch_from(locations, self._partial, extents)
            except HttpError as error:
                self._log(error.detail)
                self._failed |= set(locations)
                failure = failure or error
            else:
                self._failed |= set(fetched.failed)
                self._used = fetched.used[-1] if fetched.used else self._used
                return
        raise failure or HttpError(Reason.NETWORK, "no location has the archive that NCBI's locator describes")

    def _agrees(self, mirror: Location) -> bool:
        """Return whether a mirror has the head of the archive that is being fetched."""
        if not self._head:
            return True
        if mirror.url not in self._agreeing:
            self._agreeing[mirror.url] = self._compare(mirror)
        return self._agreeing[mirror.url]

    def _compare(self, mirror: Location) -> bool:
        """Fetch the head from a mirror, and return whether it has the same bytes."""
        copy = PartialArchive(self._partial.path.with_name("compared.sra"), Identity(self._partial.identity.size))
        try:
            for extent in self._head:
                copy.forget(extent)
            self._fetch_from([mirror], copy, self._head)
            same = all(b"".join(copy.read(e)) == b"".join(self._partial.read(e)) for e in self._head)
        except HttpError as error:
            self._log(error.detail)
            return False
        finally:
            copy.delete()
        if not same:
            self._log(f"the mirror {host_of(mirror.url)} has another archive than the locator describes")
        return same
