"""No query reads a whole table that grows with the number of jobs or signatures, but those that must."""

import re

from wort_cli.ledger.database import queries
from wort_cli.ledger.ledger import Ledger

GROWING = re.compile(r"SCAN (jobs|events|signatures|sketches|submissions|group_members|runs)\b")
FIRST_ENTRIES = {
    *("any_run", "wake_jobs", "next_jobs", "oldest_queued", "last_ended_reason", "measured", "newest_signatures"),
}
"""These read the first entries of an index, or the newest rows."""
OF_ALL = {
    "count_signatures",
    "count_signatures_of_profile",
    "contents",
    "unverified_submissions",
    "signature_without_sketches",
    "add_sketches_of_earlier_versions",
    "any_remote",
    "runs_of_record",
}
"""These answer about all rows, in commands about all of them, or once in a while."""
UPKEEP = {
    *("count_groups_again", "assign_jobs_again", "hold_jobs_again", "count_jobs_again", "inconsistent_jobs"),
    *("orphaned_events", "remove_orphaned_events", "catalog_bytes"),
}
"""`wort doctor` and the upkeep of the daemon."""


def test_only_these_queries_read_a_whole_table(ledger: Ledger) -> None:
    found = set()
    for name, sql in queries().items():
        if "{" in sql or "?" in sql:  # SQL that ledger/ completes, and plain insertions
            continue
        values = dict.fromkeys(re.findall(r"(?<!:):(\w+)", sql), "")
        plan = ledger.storage.select(f"EXPLAIN QUERY PLAN {sql}", values)
        if any(GROWING.match(row["detail"]) for row in plan):
            found.add(name)
    assert found == FIRST_ENTRIES | OF_ALL | UPKEEP
