"""The file of `wort compute --report FILE`, to which a line is added for each run that has ended."""

import json
import os
import socket
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.errors import StorageProblem, cause_of, shown
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.failure import Reason
from wort_cli.model.job import Job, JobState
from wort_cli.model.run_report import RunReport
from wort_cli.model.units import iso_time


class ReportFile:
    """A file of reports; a line is on the disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        """Open a file, or make it; end a line that an earlier try did not end.  Raises StorageProblem."""
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")
        except OSError as error:
            raise self._problem(error) from error

    def add(self, *reports: RunReport) -> None:
        """Add lines, in one write, so that tasks that share a file do not mix their lines.  Raises StorageProblem."""
        lines = b"".join(json.dumps(report.to_json()).encode() + b"\n" for report in reports)
        try:
            while lines:
                lines = lines[os.write(self._file, lines) :]
            os.fsync(self._file)
        except OSError as error:
            raise self._problem(error) from error

    def _problem(self, error: OSError) -> StorageProblem:
        return StorageProblem(
            f"--report: {shown(str(self._path), 200)} cannot be written: {cause_of(error)}", "choose another file"
        )


class Reporter:
    """Reports the results of the requests of a command."""

    def __init__(self, file: ReportFile, ledger: Ledger, finder: SignatureFinder) -> None:
        self._file = file
        self._ledger = ledger
        self._finder = finder
        self._reported = set[int]()
        """The numbers of the jobs that have a line."""

    def answers(self, answers: Sequence[Enqueued]) -> None:
        """Report the signatures that are there already; every other answer has a job, which is reported later."""
        for answer in answers:
            if answer.status is EnqueueStatus.EXISTS:
                self._file.add(self._report(answer.source.name, answer.profile, JobState.DONE, None))

    def job(self, job: Job) -> None:
        """Report a job that has ended, or that waits for another time."""
        self._file.add(self._report_of(job))

    def unfinished(self, job_ids: Iterable[int]) -> int:
        """Report those of some jobs that have no line yet, because this process ends before they have.

        Return how many.
        """
        left = dict.fromkeys(number for number in job_ids if number not in self._reported)
        self._file.add(*(self._report_of(self._ledger.jobs.get(number)) for number in left))
        return len(left)

    def _report_of(self, job: Job) -> RunReport:
        self._reported.add(job.id)
        seconds = None
        if job.started_at is not None:
            seconds = round((job.ended_at or time.time()) - job.started_at, 3)
        return self._report(job.source.name, job.profile, job.state, job.reason, job.message, seconds)

    def _report(
        self,
        name: Name,
        profile: str,
        state: JobState,
        reason: Reason | None,
        message: str = "",
        seconds: float | None = None,
    ) -> RunReport:
        record = self._ledger.catalog.get(name, profile) if state is JobState.DONE else None
        finder = self._finder.of_profile(profile)
        return RunReport(
            name,
            profile,
            state,
            reason,
            message or None,
            record.digest if record else None,
            (finder.published(name) or finder.location(name) or None) if record else None,
            record.provenance.bases if record else None,
            record.provenance.source_size if record else None,
            seconds,
            socket.gethostname(),
            iso_time(time.time()),
        )
