"""Chooses the archive of a run to fetch: asks NCBI's locator, then the mirrors.

The locator says which archives a run has, and where.  Mirrors are further locations; where the locator is down, has
nothing, or is not configured, they are the only ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from wort_cli.model.accession import Accession
from wort_cli.model.archive_format import ALLOWED, Format
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.fetch import probe
from wort_cli.pipeline.archives.http import HttpClient, HttpError
from wort_cli.pipeline.archives.locator import Location, RunFile, find_run
from wort_cli.pipeline.archives.partial import Identity
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.system.cancellation import Cancellation

MIRRORS_MAY_HELP = frozenset(
    {Reason.NETWORK, Reason.NO_DATA, Reason.LOCATOR_REFUSED, Reason.NOT_FOUND, Reason.NOT_ASKED}
)
"""Answers of the locator, or none, after which the mirrors are asked."""


@dataclass(frozen=True)
class Wish:
    """A request for the archive of a run, with the allowed formats and locations."""

    run: Accession
    decoder: str
    """A key of columns.UNNEEDED."""
    quality: str = "prefer-normalized"
    whole: bool = False
    """Fetch all of it, even if columns suffice."""
    locator_url: str = ""
    """'' to ask no locator."""
    mirrors: tuple[str, ...] = ()
    """URLs with `{run}` in the place of the accession."""
    prefer_mirrors: bool = False
    """Whether mirrors that have the locator's archive are asked before the locator's locations."""


@dataclass(frozen=True)
class Offer:
    """An archive that can be fetched: what the locator says of it, and where it is."""

    run: Accession
    format: Format
    identity: Identity
    locations: tuple[Location, ...]
    """The locations of the locator, and mirrors, in the order in which they are tried."""


def find_offers(
    wish: Wish, client: HttpClient, politeness: Politeness, cancellation: Cancellation, log: Callable[[str], None]
) -> Iterator[Offer]:
    """Yield the archive to fetch; where only mirrors have it, then those of another size, in case it is damaged.

    Raises HttpError if neither the locator nor a mirror has one.
    """
    mirrors = tuple(Location(template.replace("{run}", wish.run)) for template in wish.mirrors)
    try:
        if not wish.locator_url:
            raise not_asked(wish)
        files = ask_locator(wish, client, politeness, cancellation)
    except HttpError as error:
        if error.reason not in MIRRORS_MAY_HELP:
            raise
        yield from offers_of_mirrors(wish, mirrors, error, client, cancellation, log)
        return
    file = choose_format(files, wish.quality)
    log(f"{wish.run}: {file.format}, {file.size:,} bytes, md5 {file.md5 or 'unknown'}")
    named = [with_trust(location, wish.locator_url) for location in file.locations]
    known = {location.url for location in named}
    more = [mirror for mirror in mirrors if file.format is Format.NORMALIZED and mirror.url not in known]
    identity = Identity(file.size, file.md5, "" if file.md5 else file.modified)
    named.sort(key=lambda place: not place.named)
    yield Offer(wish.run, file.format, identity, (*more, *named) if wish.prefer_mirrors else (*named, *more))


def not_asked(wish: Wish) -> HttpError:
    """Return the error where the settings leave NCBI out: that is no verdict on the run."""
    where = "no mirror has it" if wish.mirrors else "there are no mirrors"
    return HttpError(Reason.NOT_ASKED, f"the setting `locator_url` is off, and {where}")


def with_trust(location: Location, locator_url: str) -> Location:
    """Return a location of the locator's answer, marked as named by the locator only if its transport is as safe.

    If the locator is queried with TLS, and the location is not, a third party on the network can change the bytes.
    """
    is_safe = location.url.startswith("https://") or not locator_url.startswith("https://")
    return replace(location, named=is_safe)


def ask_locator(
    wish: Wish, client: HttpClient, politeness: Politeness, cancellation: Cancellation
) -> tuple[RunFile, ...]:
    """Return what the locator lists, within the rate limit that all processes share."""
    limit = politeness.rate_limit(wish.locator_url)
    if paused := limit.paused_for():
        detail = f"NCBI's locator asked for fewer requests; {paused:.0f} seconds of the pause are left"
        raise HttpError(Reason.RATE_LIMITED, detail, status=429)
    try:
        return find_run(client, wish.locator_url, wish.run, cancellation)
    except HttpError as error:
        if error.reason is Reason.RATE_LIMITED:
            politeness.note_refusal(wish.locator_url, error.retry_after)
        raise


def offers_of_mirrors(
    wish: Wish,
    mirrors: Sequence[Location],
    error: HttpError,
    client: HttpClient,
    cancellation: Cancellation,
    log: Callable[[str], None],
) -> Iterator[Offer]:
    """Yield the archives of the mirrors that answer, each size once; raise `error`, the locator's, if none does."""
    if Format.NORMALIZED not in ALLOWED[wish.quality]:  # mirrors have no others
        raise error
    log(f"{wish.run}: {error.detail}; asking the mirrors")
    sizes: set[int] = set()
    for n, mirror in enumerate(mirrors):
        try:
            identity = probe(client, mirror.url, cancellation)
        except HttpError as refusal:
            log(refusal.detail)
            continue
        if identity.size not in sizes:
            sizes.add(identity.size)
            yield Offer(wish.run, Format.NORMALIZED, identity, tuple(mirrors[n:]))
    if not sizes:
        raise error


def choose_format(files: Sequence[RunFile], quality: str) -> RunFile:
    """Return the archive that the setting `quality` chooses.  Raises HttpError(no-data) if it allows none of them."""
    for wanted in ALLOWED[quality]:
        for file in files:
            if file.format is wanted:
                return file
    raise HttpError(Reason.NO_DATA, f"there is no archive in the format that `quality = {quality}` allows")
