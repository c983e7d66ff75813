"""The checks of `wort doctor` that need the network: the locator, the mirrors, and what would be fetched of a run.

Each has a time limit.  A machine without a network gets warnings that say how to fix or turn off each part; nothing is
asked where the settings turn it off.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.commands.shared.showing import render
from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.units import format_bytes
from wort_cli.pipeline.archives.file_answers import check_part
from wort_cli.pipeline.archives.http import HttpClient, HttpError, Timeouts, host_of
from wort_cli.pipeline.archives.kar import MAGIC
from wort_cli.pipeline.archives.locate import TOOLKIT
from wort_cli.pipeline.archives.locator import find_run
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.pipeline.fetch_plan import Planner
from wort_cli.settings import Settings
from wort_cli.system.temporary import scratch_directory

SMALL_RUN = Accession("SRR6336806")
"""A public run of 0.8 MB, which the tests of the SRA toolkit use too."""
TIMEOUTS = Timeouts(connect=5.0, silence=8.0, total=15.0)
LIMIT = 20.0
"""Seconds for all checks together; a name server that does not answer is not bounded by TIMEOUTS."""
OFF = 'without a network, set `locator_url = "off"` and `mirrors = "off"`'
NETWORK_FIX = f"check the network, the proxy (`https_proxy`) and SSL_CERT_FILE; {OFF}"


@dataclass
class Check:
    """A check that runs in a thread, because nothing can bound the time of all that it does."""

    what: str
    run: Callable[[], Finding]
    finding: Finding | None = None

    def start(self) -> threading.Thread:
        """Start the check."""

        def work() -> None:
            try:
                self.finding = self.run()
            except HttpError as error:
                self.finding = warning(self.what, error.reason, error.detail)
            except JobFailed as error:
                self.finding = warning(self.what, error.failure.reason, error.failure.detail)
            except OSError as error:
                self.finding = Finding("warning", self.what, render.printable(error), "check the disk of /tmp")

        thread = threading.Thread(target=work, name=self.what, daemon=True)
        thread.start()
        return thread


def check_fetching(settings: Settings, run: Accession = SMALL_RUN) -> Iterator[Finding]:
    """Check the locator and the mirrors with a run, and say what would be fetched of it."""
    if settings.download == TOOLKIT:
        yield Finding("ok", "fetching", "runs that are not on disk are streamed by the SRA toolkit (`download`)")
        return
    if settings.locator_url == "off" and not settings.mirrors:
        yield Finding("ok", "fetching", "off: only archives on disk are used (`locator_url`, `mirrors`)")
        return
    with scratch_directory(settings.cache_dir) as directory:
        politeness = Politeness(directory, settings.connections)
        checks = [Check("locator", lambda: ask_locator(settings, run))] if settings.locator_url != "off" else []
        checks += [Check("mirror", lambda url=url: ask_mirror(url, run)) for url in settings.mirrors]  # type: ignore[misc]
        checks.append(Check("fetching", lambda: plan(settings, run, politeness)))
        known: set[str] = set()
        for finding in run_all(checks):
            if finding.state == "ok" or finding.detail not in known:  # a server that is down is reported once
                yield finding
            known.add(finding.detail)


def run_all(checks: Sequence[Check], limit: float = LIMIT) -> Iterator[Finding]:
    """Run checks at the same time; yield their findings within `limit` seconds."""
    threads = [check.start() for check in checks]
    deadline = threading.Event()
    timer = threading.Timer(limit, deadline.set)
    timer.daemon = True
    timer.start()
    for check, thread in zip(checks, threads, strict=True):
        while thread.is_alive() and not deadline.is_set():
            thread.join(0.05)
        yield check.finding or warning(check.what, Reason.NETWORK, f"no answer within {limit:g} seconds")
    timer.cancel()


def warning(what: str, reason: Reason, detail: str) -> Finding:
    """Return the finding for a check that failed."""
    return Finding("warning", what, render.printable(detail), NETWORK_FIX if reason is Reason.NETWORK else reason.hint)


def ask_locator(settings: Settings, run: Accession) -> Finding:
    """Ask the locator about the run."""
    host = host_of(settings.locator_url)
    try:
        with HttpClient(TIMEOUTS) as client:
            files = find_run(client, settings.locator_url, run)
    except HttpError as error:
        if error.reason in (Reason.NETWORK, Reason.LOCATOR_REFUSED, Reason.RATE_LIMITED):
            raise
        return Finding("ok", "locator", render.printable(f"{host} answers about {run}: {error.detail}"))
    listed = ", ".join(f"{file.format}, {format_bytes(file.size)}" for file in files)
    return Finding("ok", "locator", f"{host} has {run}: {listed}")


def ask_mirror(template: str, run: Accession) -> Finding:
    """Fetch the first bytes of the run's archive from a mirror."""
    url = template.replace("{run}", run)
    host = host_of(url)
    last = len(MAGIC) - 1
    with HttpClient(TIMEOUTS) as client, client.request("GET", url, {"Range": f"bytes=0-{last}"}) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status in (403, 404):  # S3 answers so where there is no such file
            fix = "none, if it is a new run; else correct the setting `mirrors`"
            return Finding("warning", "mirror", f"{host} does not have {run} (HTTP status {answer.status})", fix)
        check_part(answer.status, url, headers)
        if next(answer.body, b"")[: len(MAGIC)] != MAGIC:
            raise HttpError(Reason.NETWORK, f"{host} sends a file that is not an SRA archive")
    size = headers.get("content-range", "").rpartition("/")[2]
    return Finding("ok", "mirror", f"{host} has {run}{f': {format_bytes(int(size))}' if size.isdecimal() else ''}")


def plan(settings: Settings, run: Accession, politeness: Politeness) -> Finding:
    """Say what would be fetched of the run."""
    with Planner(settings, timeouts=TIMEOUTS, politeness=politeness) as planner:
        planned = planner.to_fetch(run)
    amount = f"{format_bytes(planned.fetched)} of {format_bytes(planned.size)}"
    return Finding("ok", "fetching", f"{amount} of {run} ({planned.format}) would come from {host_of(planned.place)}")
