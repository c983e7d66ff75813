"""The first page: how many signatures there are, the newest, and what is being computed."""

from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.web.pages.catalog_page import ListedView, listed_views
from wort_cli.web.pages.daemon_view import DaemonView
from wort_cli.web.pages.job_view import JobView
from wort_cli.web.pages.lists_of_jobs import running_jobs

NEWEST = 10
"""Signatures that the first page shows."""


@dataclass(frozen=True)
class HomePage:
    """The content of the first page."""

    signatures: int
    daemon: DaemonView
    newest: tuple[ListedView, ...]
    running: tuple[JobView, ...]

    @property
    def is_live(self) -> bool:
        """Whether the page will soon show something else."""
        return self.daemon.live > 0

    @property
    def reloads(self) -> bool:
        """Whether a browser without scripts loads the page again: no, a person may be typing a list."""
        return False

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return asdict(self)


def home_page(ledger: Ledger, daemon: DaemonView) -> HomePage:
    """Return the first page."""
    return HomePage(
        signatures=ledger.catalog.count(),
        daemon=daemon,
        newest=listed_views(ledger, ledger.catalog.newest(NEWEST)),
        running=running_jobs(ledger, JobFilter(JobState.RUNNING)),
    )
