"""All jobs of a group as CSV, in pieces: each is read by its key, by any thread."""

import csv
import io
from collections.abc import Callable

from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.web.pages.job_view import JobView
from wort_cli.web.pages.search_page import harmless

COLUMNS = (
    *("job", "name", "kind", "profile", "state", "reason", "message"),
    *("attempt", "queued_at", "started_at", "ended_at", "wait_until"),
)
HEADER = ",".join(COLUMNS) + "\n"
ROWS = 1000
"""Jobs of a piece."""


def rows_before(ledger: Callable[[], Ledger], job_filter: JobFilter, before: int) -> tuple[str, int]:
    """Return lines of the jobs below a number, and the number for the next piece; 0 behind the last one."""
    jobs = ledger().job_pages.page(job_filter, ROWS, before)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for job in jobs:
        view = JobView.of(job)
        writer.writerow([harmless(str(getattr(view, column) or "")) for column in COLUMNS])
    return text.getvalue(), jobs[-1].id if len(jobs) == ROWS else 0
