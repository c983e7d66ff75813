"""Shared objects of the pages: the home, sketches that were read, and the state of the daemon."""

from starlette.requests import Request

from wort_cli.health.status import read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.profile import PROFILES, Profile, profile_for
from wort_cli.model.provenance import Trust
from wort_cli.web.databases import database_of
from wort_cli.web.pages.compare_page import Comparisons
from wort_cli.web.pages.daemon_view import DaemonView
from wort_cli.web.pages.kept import Kept
from wort_cli.web.pages.spectra import Spectra
from wort_cli.web.served_home import ServedHome
from wort_cli.web.signature_files import refused_trust

STATUS_SECONDS = 1.0


class Pages:
    """The shared objects of the pages of an application.  In a handler: `request.app.state.pages`."""

    def __init__(self, home: ServedHome) -> None:
        self.home = home
        self.spectra = Spectra(home.settings)
        self.comparisons = Comparisons(home.settings)
        self._status: Kept[DaemonView] = Kept(STATUS_SECONDS)

    def withheld(self, name: Name) -> frozenset[Trust]:
        """Return the levels of trust of which the server sends no signature of a name."""
        database = database_of(name)
        never = frozenset(Trust) - database.trusts if database else frozenset()
        return never | refused_trust(self.home.settings)

    @property
    def ledger(self) -> Ledger:
        """The ledger of this thread."""
        return self.home.ledger

    def daemon(self) -> DaemonView:
        """Return the state of the daemon and its queue."""
        return self._status.get(lambda: DaemonView.of(read_status(self.home.settings, self.ledger)))

    def forget_daemon(self) -> None:
        """Let the next page show the daemon and its queue as they are then: a form has changed them."""
        self._status.forget()

    def profile(self, name: str) -> Profile:
        """Return the profile that was named, or else that of the home.  Raises UsageError if there is none."""
        settings = self.home.settings
        return self.ledger.profiles.named(name or settings.profile, settings.profiles)

    def usual_profile(self, name: str) -> str:
        """Return the name of the profile of a name's signature, where none was named."""
        return profile_for(name, self.home.settings.profile)

    def profile_names(self) -> tuple[str, ...]:
        """Return the names of all profiles."""
        used = [profile.name for profile in self.ledger.profiles.all()]
        return tuple(dict.fromkeys([*PROFILES, *sorted(self.home.settings.profiles), *used]))


def pages_of(request: Request) -> Pages:
    """Return what the pages of the server share."""
    pages: Pages = request.app.state.pages
    return pages
