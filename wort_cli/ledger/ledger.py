"""The ledger: the authoritative record of jobs and signatures, in one SQLite file.

- jobs.py: commands enqueue, cancel, retry and read jobs
- attempts.py: the process that runs a job claims it, extends its lease and ends the attempt
- catalog.py: the signatures
- submissions.py: signatures made by others, and their verification
- counts.py: numbers of jobs and transitions
- groups.py: the lists of signatures that were requested
- controls.py: `wort daemon pause`, `resume` and `jobs`
- suspects.py: jobs that are tried alone
- runs.py: what is known of runs
- profiles.py: the profiles that were used
- job_pages.py: pages of jobs
- absences.py: runs that are unavailable, also according to others
- intakes.py: signatures that were submitted at the page of the server
- follows.py: projects and queries whose new runs are requested

How a signature is computed is not known here.
"""

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wort_cli.ledger.catalog import Catalog
from wort_cli.ledger.controls import Controls
from wort_cli.ledger.counts import Counts
from wort_cli.ledger.database import Storage
from wort_cli.ledger.groups import Groups
from wort_cli.ledger.jobs import Jobs

if TYPE_CHECKING:
    from wort_cli.ledger.absences import Absences
    from wort_cli.ledger.attempts import Attempts
    from wort_cli.ledger.follows import Follows
    from wort_cli.ledger.intakes import Intakes
    from wort_cli.ledger.job_pages import JobPages
    from wort_cli.ledger.profiles import UsedProfiles
    from wort_cli.ledger.runs import Runs
    from wort_cli.ledger.submissions import Submissions
    from wort_cli.ledger.suspects import Suspects


class Ledger:
    """The ledger, with one attribute for each group of tables.  The file is opened at first use.

    `reading`: only read, also if the disk is full or read-only
    """

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        self.storage = Storage(path, reading=reading)
        self.catalog = Catalog(self.storage)
        self.counts = Counts(self.storage)
        self.controls = Controls(self.storage)
        self.groups = Groups(self.storage)
        self.jobs = Jobs(self.storage, self.catalog, self.groups)

    # Commands that only read import none of these: that would take a tenth of their time.

    @cached_property
    def submissions(self) -> "Submissions":
        """Signatures made by others, and their verification."""
        from wort_cli.ledger.submissions import Submissions

        return Submissions(self.storage, self.groups)

    @cached_property
    def intakes(self) -> "Intakes":
        """Signatures that were submitted at the page of the server."""
        from wort_cli.ledger.intakes import Intakes

        return Intakes(self.storage)

    @cached_property
    def suspects(self) -> "Suspects":
        """Jobs that are tried alone."""
        from wort_cli.ledger.suspects import Suspects

        return Suspects(self.storage, self.controls)

    @cached_property
    def attempts(self) -> "Attempts":
        """Claims, leases and results of attempts, for the process that runs jobs."""
        from wort_cli.ledger.attempts import Attempts

        return Attempts(self.storage, self.jobs, self.catalog, self.submissions, self.suspects)

    @cached_property
    def job_pages(self) -> "JobPages":
        """Pages of jobs."""
        from wort_cli.ledger.job_pages import JobPages

        return JobPages(self.storage, self.counts)

    @cached_property
    def profiles(self) -> "UsedProfiles":
        """The profiles that were used."""
        from wort_cli.ledger.profiles import UsedProfiles

        return UsedProfiles(self.storage)

    @cached_property
    def runs(self) -> "Runs":
        """The metadata of runs."""
        from wort_cli.ledger.runs import Runs

        return Runs(self.storage)

    @cached_property
    def follows(self) -> "Follows":
        """Projects and queries whose new runs are requested."""
        from wort_cli.ledger.follows import Follows

        return Follows(self.storage)

    @cached_property
    def absences(self) -> "Absences":
        """Runs that are unavailable, also according to others."""
        from wort_cli.ledger.absences import Absences

        return Absences(self.storage)

    def open(self) -> None:
        """Open the file now; raise WortError if it cannot be used."""
        self.storage.open()

    def transaction(self, *, write: bool = True) -> AbstractContextManager[None]:
        """Return a context in which several operations are one transaction."""
        return self.storage.transaction(write=write)

    def close(self) -> None:
        """Close the file; the next use opens it again.  Call this before a fork."""
        self.storage.close()

    def check(self) -> str:
        """Return `ok`, or the first problem that SQLite's quick_check finds in the file."""
        row = self.storage.select("PRAGMA quick_check(1)", {})[0]
        return str(next(iter(row.values())))
