"""Asks ENA (its file report), then NCBI (its run info), whether a run exists.

Only two answers count: a list with the run itself, or the service's plain *no*.  A server that is down, a page of HTML,
or one service's *no* while the other is down, leaves the question open.
"""

import time
from collections.abc import Callable

from wort_cli.model.accession import Accession
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.model.submission import Lookup
from wort_cli.pipeline.archives.http import Timeouts
from wort_cli.pipeline.projects import ena, ncbi
from wort_cli.pipeline.projects.answers import ENA, NCBI, NoListing, Outcome
from wort_cli.pipeline.projects.tables import Requests, requests_of
from wort_cli.settings import Settings

KNOWN_FOR, UNKNOWN_FOR = 30 * 86400.0, 3600.0
"""Seconds for which a *yes* and a *no* are valid.  A run that is missing now may be published any day."""


def is_fresh(lookup: Lookup, now: float) -> bool:
    """Whether an answer is still valid."""
    return now - lookup.asked_at < (KNOWN_FOR if lookup.known else UNKNOWN_FOR)


def look_up(accession: Accession, settings: Settings) -> Lookup | str:
    """Return the answer of ENA and NCBI about a run, or the reason why there is none.  Each is asked once."""
    services = ((ENA, settings.ena_url, ena_knows), (NCBI, settings.ncbi_url, ncbi_knows))
    seconds = settings.lookup_timeout
    failures, denials = [], []
    with requests_of(settings, Timeouts(seconds, seconds, seconds)) as requests:
        for name, url, knows in services:
            if url == "off":
                continue
            try:
                if knows(requests, url, accession):
                    return Lookup(True, f"{name} knows the run", time.time())
                denials.append(name)
            except NoListing as error:
                failures.append(f"{name}: {error.sentence}")
    if failures or not denials:
        return "; ".join(failures) or "ena_url and ncbi_url are off"
    return Lookup(False, f"there is no run {accession} at {' and '.join(denials)}", time.time())


def ena_knows(requests: Requests, url: str, accession: Accession) -> bool:
    """Return whether ENA's file report lists the run.  Raises NoListing if it is not a file report."""
    return lists(accession, lambda take: ena.list_of_record(requests, url, accession, take, lambda: None))


def ncbi_knows(requests: Requests, url: str, accession: Accession) -> bool:
    """Return whether NCBI's run info lists the run.  Raises NoListing if it is not a run info."""
    return lists(accession, lambda take: ncbi.run_info(requests, url, accession, take))


def lists(accession: Accession, ask: Callable[[Callable[[RunMetadata], None]], None]) -> bool:
    """Return whether a run is among those that `ask` passes on; False if the service has none."""
    found = False

    def take(run: RunMetadata) -> None:
        nonlocal found
        found = found or run.run == accession

    try:
        ask(take)
    except NoListing as error:
        if error.outcome is not Outcome.NO_RUNS:
            raise
    return found
