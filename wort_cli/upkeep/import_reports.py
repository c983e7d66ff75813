"""Imports what tasks of a batch system report of their runs (model/run_report.py).

Why a run has no signature is recorded as the claim of the report's file, as claims of other homes are.  A signature is
not imported here: its file is, with `wort import DIR`; the report only says which digest it must have.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wort_cli.errors import WortError, shown
from wort_cli.ledger.absences import AbsentRun
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, Name
from wort_cli.model.job import JobState
from wort_cli.model.run_report import START, RunReport
from wort_cli.reading.documents import MAX_DOCUMENT, parse_json

WITHOUT_SIGNATURE = (JobState.FAILED, JobState.WAITING, JobState.UNAVAILABLE)


class NotAReport(WortError):
    """A file is not a report of a task; nothing of it was imported."""


@dataclass(frozen=True)
class ImportedReport:
    """A report, and the runs that it names."""

    runs: tuple[RunReport, ...]
    """The last line of each run."""
    differing: tuple[RunReport, ...]
    """Runs of which the catalog has a signature with another digest."""


class ReportTotals:
    """The results of runs in several reports.  A run that one task has computed is done, whatever others report."""

    def __init__(self) -> None:
        self.reports = 0
        self._done: dict[str, set[Name]] = {}
        """The runs that are done, by profile."""
        self._others: dict[tuple[str, Name], RunReport] = {}
        """The newest line of each other run."""

    def add(self, runs: Iterable[RunReport]) -> None:
        """Count the runs of a report."""
        self.reports += 1
        for run in runs:
            key, done = (run.profile, run.name), self._done.setdefault(run.profile, set())
            if run.state is JobState.DONE:
                done.add(run.name)
                self._others.pop(key, None)
            elif run.name not in done and (run.ended_at or "") >= (self._others.get(key, run).ended_at or ""):
                self._others[key] = run

    @property
    def others(self) -> list[RunReport]:
        """The runs that are not done."""
        return list(self._others.values())

    @property
    def states(self) -> Counter[JobState]:
        """The number of runs that ended in each state."""
        states = Counter(run.state for run in self._others.values())
        done = sum(map(len, self._done.values()))
        return states + Counter({JobState.DONE: done})

    def without_signature(self, ledger: Ledger) -> int:
        """Return how many runs are done, while the catalog has no signature of theirs."""
        names = ((profile, sorted(map(str, done))) for profile, done in self._done.items())
        return sum(1 for profile, done in names for _ in ledger.catalog.unknown(done, profile))


def import_report(path: Path, ledger: Ledger, *, dry_run: bool) -> ImportedReport:
    """Import the report in a file.  Raises NotAReport, or WortError if the file cannot be read."""
    last = {(report.profile, report.name): report for report in read_reports(path)}
    if not dry_run:
        for profile in sorted({profile for profile, _ in last}):
            claims = (claim_of(report) for report in last.values() if report.profile == profile)
            ledger.absences.replace_claims(path.absolute().as_uri(), profile, filter(None, claims))
    return ImportedReport(
        tuple(last.values()),
        tuple(report for report in last.values() if differs(report, ledger)),
    )


def read_reports(path: Path) -> Iterator[RunReport]:
    """Yield the reports in a file.  Raises NotAReport for an invalid line, unless it is only the beginning of one."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_DOCUMENT + 1):
                number += 1
                try:
                    if (report := report_in(line)) is not None:
                        yield report
                except (ValueError, WortError) as error:
                    why = error.sentence if isinstance(error, WortError) else str(error)
                    raise NotAReport(f"{shown(str(path), 200)}, line {number}: {shown(why, 200)}") from None
    except OSError as error:
        raise WortError(f"{shown(str(path), 200)} cannot be read: {error.strerror}", "check its permissions") from error


def report_in(line: bytes) -> RunReport | None:
    """Return the report in a line; None if it is only the beginning of one.  Raises ValueError or WortError."""
    try:
        document = parse_json(line)
    except ValueError:
        if START.startswith(line.rstrip(b"\n")[: len(START)]):
            return None
        raise
    return RunReport.from_json(document)


def claim_of(report: RunReport) -> AbsentRun | None:
    """Return why a public run has no signature, according to a report; None for any other run.

    A task does not try again, so that a run that waits has failed.  A line whose state does not fit its reason claims
    nothing.
    """
    if report.state not in WITHOUT_SIGNATURE or report.reason is None or not isinstance(report.name, Accession):
        return None
    claim = AbsentRun(str(report.name), report.reason, seconds_of(report.ended_at))
    is_unavailable = report.state is JobState.UNAVAILABLE
    return claim if is_unavailable == (claim.state is JobState.UNAVAILABLE) else None


def seconds_of(text: str | None) -> float:
    """Return a time in seconds since 1970; now, if it is not known."""
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except (ValueError, TypeError, OverflowError):
        return time.time()


def differs(report: RunReport, ledger: Ledger) -> bool:
    """Return whether the catalog has a signature with another digest than the report."""
    record = ledger.catalog.get(report.name, report.profile) if report.digest else None
    return record is not None and record.digest != report.digest
