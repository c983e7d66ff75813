"""The ledger: the only truth about jobs and signatures, in one SQLite file.

Commands enqueue, cancel and retry jobs, and read (jobs.py, catalog.py, counts.py).  Whoever runs a job claims it and ends
its attempts (attempts.py).  submissions.py has the signatures of others, controls.py what a person tells the daemon.
Nothing here knows how a signature is computed.
"""

from pathlib import Path

from wort_cli.ledger.attempts import Attempts
from wort_cli.ledger.catalog import Catalog
from wort_cli.ledger.controls import Controls
from wort_cli.ledger.counts import Counts
from wort_cli.ledger.database import Storage
from wort_cli.ledger.jobs import Jobs
from wort_cli.ledger.submissions import Submissions


class Ledger:
    """A ledger's tables, each behind the class that reads and writes it."""

    def __init__(self, path: Path) -> None:
        self.storage = Storage(path)
        self.catalog = Catalog(self.storage)
        self.counts = Counts(self.storage)
        self.controls = Controls(self.storage)
        self.jobs = Jobs(self.storage, self.catalog)
        self.submissions = Submissions(self.storage)
        self.attempts = Attempts(self.storage, self.jobs, self.catalog, self.submissions)

    def open(self) -> None:
        """Open the file now, not at first use; raise WortError if it cannot be used."""
        self.storage.open()

    def close(self) -> None:
        """Close the file; the next use opens it again.  Needed before a fork."""
        self.storage.close()

    def check(self) -> str:
        """Return `ok`, or what SQLite finds wrong with the file."""
        row = self.storage.select("PRAGMA quick_check(1)", {})[0]
        return str(next(iter(row.values())))
