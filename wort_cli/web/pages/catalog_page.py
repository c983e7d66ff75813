"""The catalog: its signatures in order of their names, a page at a time, and the newest."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from wort_cli.errors import UsageError, shown
from wort_cli.ledger.catalog import ListedSignature
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import LOCAL_NAME
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import Trust
from wort_cli.model.units import iso_time
from wort_cli.web.pages.places import database_of

ROWS = 50
"""Signatures of a page."""
SCANNED = 20_000
"""Signatures of which one page looks at the trust: those of a rare level may be far apart."""


@dataclass(frozen=True)
class ListedView:
    """A signature in a list."""

    name: str
    database: str
    profile: str
    trust: str
    k: tuple[int, ...]
    bases: int | None
    size: int
    recorded_at: str | None
    is_local: bool
    digest: str
    organism: str | None

    @classmethod
    def of(cls, one: ListedSignature, organism: str = "") -> "ListedView":
        """Return a signature as a list shows it."""
        return cls(
            name=one.name,
            database=database_of(one.name),
            profile=one.profile,
            trust=one.trust,
            k=one.ksizes,
            bases=one.bases or None,
            size=one.size,
            recorded_at=iso_time(one.created_at),
            is_local=bool(one.path),
            digest=one.digest,
            organism=organism or None,
        )


def listed_views(ledger: Ledger, listed: Iterable[ListedSignature]) -> tuple[ListedView, ...]:
    """Return signatures as a list shows them, with what is known of their runs."""
    found = list(listed)
    known = ledger.runs.known_of(one.name for one in found)
    return tuple(ListedView.of(one, known[one.name].organism if one.name in known else "") for one in found)


@dataclass(frozen=True)
class CatalogPage:
    """A page of the catalog."""

    profile: str
    profiles: tuple[str, ...]
    start: str
    """The prefix of the names."""
    trust: str
    after: str
    """The name behind which the page starts."""
    count: int
    """The number of signatures of the profile."""
    signatures: tuple[ListedView, ...]
    next_after: str
    """`after` of the next page; empty on the last one."""
    is_partial: bool
    """Whether the page ends because it looked at SCANNED signatures."""

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class CatalogQuery:
    """The query of a page of the catalog, from its URL."""

    start: str = ""
    trust: Trust | None = None
    after: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> "CatalogQuery":
        """Return the query in a URL.  Raises UsageError if a value is invalid."""
        start, trust, after = given.get("start", "").strip(), given.get("trust", ""), given.get("after", "")
        for text in (start, after):
            if text and not LOCAL_NAME.fullmatch(text):
                raise UsageError(f"no name of a signature starts with {shown(text)}", "leave the field empty for all")
        if trust and trust not in set(Trust):
            raise UsageError(f"there is no trust {shown(trust)}", f"the levels are {', '.join(Trust)}")
        upper = start.upper()
        is_run = upper[:3] in ("SRR", "ERR", "DRR", "GCA", "GCF")
        return cls(upper if is_run else start, Trust(trust) if trust else None, after)


def catalog_page(ledger: Ledger, profile: Profile, profiles: tuple[str, ...], query: CatalogQuery) -> CatalogPage:
    """Return a page of the catalog."""
    pattern = f"{query.start}*" if query.start else ""
    until = ledger.catalog.further_on(SCANNED, pattern, query.after) if query.trust else ""
    listed = ledger.catalog.listed(
        profile.name, pattern, trust=query.trust, after=query.after, until=until, page=ROWS + 1
    )
    found = listed_views(ledger, islice(listed, ROWS + 1))
    is_full = len(found) > ROWS
    return CatalogPage(
        profile=profile.name,
        profiles=profiles,
        start=query.start,
        trust=str(query.trust or ""),
        after=query.after,
        count=ledger.catalog.count(profile.name),
        signatures=found[:ROWS],
        next_after=found[ROWS - 1].name if is_full else until,
        is_partial=bool(until) and not is_full,
    )
