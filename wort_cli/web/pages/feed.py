"""The feed of the newest signatures (Atom, RFC 4287)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name, parse_name
from wort_cli.model.provenance import Trust
from wort_cli.web.pages.catalog_page import ListedView, listed_views

ENTRIES = 50
"""Signatures in the feed, at most."""
NEVER = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Feed:
    """The newest signatures that the server sends."""

    home_id: str
    entries: tuple[ListedView, ...]

    @property
    def updated_at(self) -> str:
        """When the newest was recorded."""
        return next((one.recorded_at for one in self.entries if one.recorded_at), NEVER)


def feed_of(ledger: Ledger, withheld: Callable[[Name], Collection[Trust]]) -> Feed:
    """Return the feed.

    withheld: returns, of a name, the levels of trust of which the server sends no signatures
    """
    listed = [one for one in ledger.catalog.newest(ENTRIES) if Trust(one.trust) not in withheld(parse_name(one.name))]
    return Feed(ledger.controls.known_home_id(), listed_views(ledger, listed))
