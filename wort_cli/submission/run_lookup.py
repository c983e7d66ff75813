"""Asks the public archives whether they know a run: ENA's file report, then NCBI's run info.

An answer counts only if it is one: the run itself in the form that the archive uses, or the archive's plain *no*.  A
server that is not there, a page of HTML, or one archive's *no* while the other can't be asked, is no answer.
"""

import csv
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from wort_cli.model.accession import Accession
from wort_cli.model.submission import Lookup
from wort_cli.settings import Settings
from wort_cli.submission.public_url import Client, Unreachable
from wort_cli.submission.refusal import Refusal
from wort_cli.system.rate_limit import RateLimit

TOO_MANY = 429
"""HTTP's status for who asks too often."""
LARGEST_ANSWER = 1_000_000
"""Bytes."""
KNOWN_FOR, UNKNOWN_FOR = 30 * 86400.0, 3600.0
"""Seconds that an answer is good for: a run that is not there may be published any day."""


class NoAnswer(Exception):
    """An archive gave no answer; says why."""


def is_fresh(lookup: Lookup, now: float) -> bool:
    """Whether an answer is still good."""
    return now - lookup.asked_at < (KNOWN_FOR if lookup.known else UNKNOWN_FOR)


def look_up(accession: Accession, settings: Settings) -> Lookup | str:
    """What the archives say of a run; or why nobody can say."""
    archives: tuple[tuple[str, str, Callable[[str, Accession, Service], bool]], ...] = (
        ("ENA", settings.ena_url, ask_ena),
        ("NCBI", settings.ncbi_url, ask_ncbi),
    )
    silent, asked = [], []
    for name, url, ask in archives:
        if url == "off":
            continue
        try:
            if ask(url, accession, Service.by(settings, name.lower())):
                return Lookup(True, f"{name} knows it", time.time())
            asked.append(name)
        except NoAnswer as why:
            silent.append(f"{name}: {why}")
    if silent or not asked:
        return "; ".join(silent) or "no archive is asked"
    return Lookup(False, f"{' and '.join(asked)} know no run {accession}", time.time())


@dataclass(frozen=True)
class Service:
    """How an archive is asked: when it is our turn, within so many seconds, and not while it wants a pause."""

    seconds: float
    rate: RateLimit
    pause: float

    @classmethod
    def by(cls, settings: Settings, archive: str) -> "Service":
        """As the settings say."""
        rate = RateLimit(settings.rates_dir, archive, settings.request_interval)
        return cls(settings.lookup_timeout, rate, settings.request_pause)

    def get(self, url: str) -> tuple[int, bytes]:
        """The answer of an archive; NoAnswer if there is none, or if it is asked too often."""
        if held := self.rate.paused_for():
            raise NoAnswer(f"it asked for fewer requests, and is asked again in {held:.0f} seconds")
        self.rate.wait_turn()
        status, body = ask(url, self.seconds)
        if status == TOO_MANY:
            self.rate.pause(self.pause)
            raise NoAnswer("it asks for fewer requests")
        return status, body


def ask_ena(url: str, accession: Accession, asking: Service) -> bool:
    """Whether ENA's file report has the run; NoAnswer if it does not say."""
    query = f"accession={accession}&result=read_run&fields=run_accession,base_count,read_count&format=json"
    status, body = asking.get(f"{url}?{query}")
    if status == 204 or (status == 200 and not body.strip()):
        return False
    if status != 200:
        raise NoAnswer(f"status {status}")
    try:
        return any(row["run_accession"] == accession for row in json.loads(body))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NoAnswer("its answer is no file report") from None


def ask_ncbi(url: str, accession: Accession, asking: Service) -> bool:
    """Whether NCBI's run info has the run; NoAnswer if it does not say."""
    status, body = asking.get(f"{url}?acc={accession}")
    if status != 200:
        raise NoAnswer(f"status {status}")
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return False
    if not text.startswith("Run,"):
        raise NoAnswer("its answer is no run info")
    try:
        return any(row.get("Run") == accession for row in csv.DictReader(io.StringIO(text)))
    except csv.Error:
        raise NoAnswer("its answer is no run info") from None


def ask(url: str, seconds: float) -> tuple[int, bytes]:
    """The answer of an archive; NoAnswer if there is none."""
    try:
        return Client(seconds, trusted=True).get(url, LARGEST_ANSWER)
    except Unreachable as error:
        raise NoAnswer(error.why) from None
    except Refusal as refusal:
        raise NoAnswer(refusal.why) from None
