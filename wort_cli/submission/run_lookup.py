"""Asks ENA (its file report), then NCBI (its run info), whether a run exists.

Only two responses count: the run itself in the service's own format, or the service's plain *no*.  A server that is
down, a page of HTML, or one service's *no* while the other is down, leaves the question open.
"""

import csv
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from wort_cli.model.accession import Accession
from wort_cli.model.submission import Lookup
from wort_cli.reading.refusal import Refusal
from wort_cli.settings import Settings
from wort_cli.submission.public_url import Client, Unreachable
from wort_cli.system.rate_limit import RateLimit

TOO_MANY = 429
"""HTTP status of a client that sends too many requests."""
MAX_RESPONSE = 1_000_000
"""Bytes."""
KNOWN_FOR, UNKNOWN_FOR = 30 * 86400.0, 3600.0
"""Seconds for which a *yes* and a *no* are valid.  A run that is missing now may be published any day."""


class NoAnswer(Exception):
    """A service gave no valid answer; the message says why."""


def is_fresh(lookup: Lookup, now: float) -> bool:
    """Whether an answer is still valid."""
    return now - lookup.asked_at < (KNOWN_FOR if lookup.known else UNKNOWN_FOR)


def look_up(accession: Accession, settings: Settings) -> Lookup | str:
    """Return the answer of ENA and NCBI about a run, or the reason why there is none."""
    services: tuple[tuple[str, str, Callable[[Service, Accession], bool]], ...] = (
        ("ENA", settings.ena_url, ena_knows),
        ("NCBI", settings.ncbi_url, ncbi_knows),
    )
    failures, denials = [], []
    for name, url, knows in services:
        if url == "off":
            continue
        try:
            if knows(Service.from_settings(settings, name.lower(), url), accession):
                return Lookup(True, f"{name} knows the run", time.time())
            denials.append(name)
        except NoAnswer as why:
            failures.append(f"{name}: {why}")
    if failures or not denials:
        return "; ".join(failures) or "ena_url and ncbi_url are off"
    return Lookup(False, f"there is no run {accession} at {' and '.join(denials)}", time.time())


@dataclass(frozen=True)
class Service:
    """ENA or NCBI: its address, the timeout and the rate limit of its requests."""

    url: str
    seconds: float
    """The timeout of a request."""
    rate: RateLimit
    pause: float
    """Seconds without requests after it asked for fewer."""

    @classmethod
    def from_settings(cls, settings: Settings, name: str, url: str) -> "Service":
        """Return a service with the timeout and the rate of the settings."""
        rate = RateLimit(settings.rates_dir, name, settings.request_interval)
        return cls(url, settings.lookup_timeout, rate, settings.request_pause)

    def get(self, query: str) -> tuple[int, bytes]:
        """Return the status and the content of a response; raise NoAnswer if there is none, or during a pause."""
        if left := self.rate.paused_for():
            raise NoAnswer(f"it asked for fewer requests; the next one is allowed in {left:.0f} seconds")
        self.rate.wait_turn()
        try:
            status, body = Client(self.seconds, trusted=True).get(f"{self.url}?{query}", MAX_RESPONSE)
        except (Unreachable, Refusal) as error:
            raise NoAnswer(error.why) from None
        if status == TOO_MANY:
            self.rate.pause(self.pause)
            raise NoAnswer("it asked for fewer requests")
        return status, body


def ena_knows(ena: Service, accession: Accession) -> bool:
    """Return whether ENA's file report contains the run; raise NoAnswer if it is not a file report."""
    query = f"accession={accession}&result=read_run&fields=run_accession,base_count,read_count&format=json"
    status, body = ena.get(query)
    if status == 204 or (status == 200 and not body.strip()):
        return False
    if status != 200:
        raise NoAnswer(f"status {status}")
    try:
        return any(row["run_accession"] == accession for row in json.loads(body))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NoAnswer("its response is not a file report") from None


def ncbi_knows(ncbi: Service, accession: Accession) -> bool:
    """Return whether NCBI's run info contains the run; raise NoAnswer if it is not a run info."""
    status, body = ncbi.get(f"acc={accession}")
    if status != 200:
        raise NoAnswer(f"status {status}")
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return False
    if not text.startswith("Run,"):
        raise NoAnswer("its response is not a run info")
    try:
        return any(row.get("Run") == accession for row in csv.DictReader(io.StringIO(text)))
    except csv.Error:
        raise NoAnswer("its response is not a run info") from None
